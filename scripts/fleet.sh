#!/usr/bin/env bash
# The whole fleet on this machine: one process per service, beside a PostgreSQL and a Redis of its own.
#   fleet.sh start KYCC DIR    starts everything, returns when all of it takes calls; data, logs and ports are in DIR
#   fleet.sh stop KYCC DIR     stops it in order: every process finishes or hands back what it has in hand
#   fleet.sh run KYCC DIR      starts, waits for Ctrl-C, stops
#   fleet.sh demo KYCC DIR     starts, runs the main job, shows what came of it, stops
# The front door (50051) and the console (3000) are where `kycc dev` has them; GRPC_PORT and CONSOLE_PORT move them.
set -euo pipefail
cd "$(dirname "$0")/.."

usage='usage: fleet.sh start|stop|run|demo KYCC DIR'
verb=${1:?$usage}
kycc=$(realpath "${2:?$usage}")
dir=${3:?$usage}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

# The orchestrator last: when it takes up runs, everybody whom it asks is there. The first is also the front door.
services='console ingestion features-kyc features-transaction features-network feature-store scoring labels training scorecards orchestrator'
front=${GRPC_PORT:-50051}
console=${CONSOLE_PORT:-3000}
say() { printf 'fleet: %s\n' "$*"; }
give_up() { printf 'fleet: %s\n' "$*" >&2; exit 1; }

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

port_of() {
  if [ "$1" = orchestrator ]; then echo "$front"; return; fi
  mkdir -p "$dir/ports"
  [ -s "$dir/ports/$1" ] || free_port > "$dir/ports/$1"
  cat "$dir/ports/$1"
}

configure() {
  . "$dir/servers/env"
  export KYCC_STORE_URL=$TEST_POSTGRES_URL KYCC_QUEUE_URL=$TEST_REDIS_URL
  export KYCC_LAKE_URL="file://$dir/lake" KYCC_LANDING="$dir/landing"
  unset TEST_POSTGRES_URL TEST_REDIS_URL
  local service
  KYCC_PEERS=
  for service in $services; do KYCC_PEERS+="$service=127.0.0.1:$(port_of "$service"),"; done
  export KYCC_PEERS
}

alive() { [ -s "$dir/pids/$1" ] && kill -0 "$(cat "$dir/pids/$1")" 2>/dev/null; }

start() {
  [ -x "$kycc" ] || give_up "$kycc is no program; run make build"
  scripts/setup.sh servers
  mkdir -p "$dir/logs" "$dir/pids" "$dir/landing" "$dir/lake"
  say "PostgreSQL and Redis"
  scripts/servers.sh start "$dir/servers" without-s3
  configure
  "$kycc" migrate
  local service tries
  for service in $services; do
    if alive "$service"; then continue; fi
    KYCC_DATA_DIR="$dir/data/$service" KYCC_CONSOLE_ADDR="127.0.0.1:$console" setsid \
      "$kycc" serve "$service" --grpc-addr "127.0.0.1:$(port_of "$service")" \
      >> "$dir/logs/$service.log" 2>&1 < /dev/null &
    echo $! > "$dir/pids/$service"
  done
  for service in $services; do
    tries=300
    until "$kycc" --server "127.0.0.1:$(port_of "$service")" health >/dev/null 2>&1; do
      alive "$service" || give_up "$service ended; its log ends with: $(tail -n 3 "$dir/logs/$service.log")"
      [ $((tries -= 1)) -gt 0 ] || give_up "$service does not take calls; see $dir/logs/$service.log"
      sleep 0.1
    done
  done
  say "$(wc -w <<< "$services") processes take calls"
  say "  gRPC     127.0.0.1:$front    export KYCC_SERVER=127.0.0.1:$front"
  say "  console  http://127.0.0.1:$console"
  say "  landing  $dir/landing"
  say "  logs     $dir/logs"
}

stop() {
  local service pid tries
  # The orchestrator first, so that nothing new is begun.
  for service in $(tac -s ' ' <<< "$services "); do
    if alive "$service"; then kill -TERM "$(cat "$dir/pids/$service")"; fi
  done
  for service in $services; do
    tries=400
    while alive "$service"; do
      [ $((tries -= 1)) -gt 0 ] || { say "$service did not end and is killed"; kill -KILL "$(cat "$dir/pids/$service")"; break; }
      sleep 0.1
    done
    rm -f "$dir/pids/$service"
  done
  scripts/servers.sh stop "$dir/servers"
  say "stopped"
}

case $verb in
  start) start ;;
  stop) stop ;;
  run)
    trap stop EXIT
    start
    say "Ctrl-C stops it"
    trap 'exit 0' INT TERM
    while sleep 1; do
      for service in $services; do alive "$service" || give_up "$service ended; see $dir/logs/$service.log"; done
    done
    ;;
  demo)
    trap stop EXIT
    start
    KYCC_SERVER="127.0.0.1:$front" scripts/demo.sh "$kycc" "$dir"
    ;;
  *) give_up "$usage" ;;
esac
