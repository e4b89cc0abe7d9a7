#!/usr/bin/env bash
# Private PostgreSQL and Redis servers on free ports, with their data in one folder.
#   servers.sh start DIR    starts both (again, on the same ports, where DIR is known), writes DIR/env
#   servers.sh stop DIR     stops both; the data stays
#   servers.sh kill DIR postgres|redis    ends one as a power cut would
# Both are durable: every commit and every append is on disk before it is answered.
set -euo pipefail

usage='usage: servers.sh start|stop DIR, or servers.sh kill DIR postgres|redis'
verb=${1:?$usage}
dir=${2:?$usage}
give_up() { printf 'servers: %s\n' "$*" >&2; exit 1; }

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb || true)")
[ -x "$bin/initdb" ] || give_up "PostgreSQL is missing: run scripts/setup.sh test"
command -v redis-server >/dev/null || give_up "Redis is missing: run scripts/setup.sh test"

# PostgreSQL refuses to run as root.
as_owner() {
  if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() {
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  # The folders above are the caller's; the server's own must be passable for its user.
  chmod 755 "$dir"
  [ -s "$dir/postgres.port" ] || free_port > "$dir/postgres.port"
  [ -s "$dir/redis.port" ] || free_port > "$dir/redis.port"
  local pg redis
  pg=$(cat "$dir/postgres.port")
  redis=$(cat "$dir/redis.port")
  if [ ! -s "$dir/postgres/PG_VERSION" ]; then
    mkdir -p "$dir/postgres"
    [ "$(id -u)" -ne 0 ] || chown postgres "$dir/postgres"
    as_owner "$bin/initdb" -D "$dir/postgres" -U kycc --auth=trust --encoding=UTF8 --locale=C >/dev/null
  fi
  if ! as_owner "$bin/pg_ctl" -D "$dir/postgres" status >/dev/null 2>&1; then
    as_owner "$bin/pg_ctl" -D "$dir/postgres" -w -l "$dir/postgres/server.log" \
      -o "-p $pg -k '' -c listen_addresses=127.0.0.1 -c max_connections=400 -c shared_buffers=64MB" start >/dev/null \
      || give_up "PostgreSQL did not start; see $dir/postgres/server.log"
  fi
  as_owner "$bin/psql" -h 127.0.0.1 -p "$pg" -U kycc -d postgres -qtAc \
    "SELECT 1 FROM pg_database WHERE datname = 'kycc'" | grep -q 1 \
    || as_owner "$bin/createdb" -h 127.0.0.1 -p "$pg" -U kycc kycc
  if ! redis-cli -p "$redis" ping >/dev/null 2>&1; then
    mkdir -p "$dir/redis"
    redis-server --port "$redis" --bind 127.0.0.1 --dir "$dir/redis" --daemonize yes --save '' \
      --appendonly yes --appendfsync always --maxmemory-policy noeviction \
      --logfile "$dir/redis/server.log" --pidfile "$dir/redis/server.pid" >/dev/null
    local tries=100
    until redis-cli -p "$redis" ping >/dev/null 2>&1; do
      [ $((tries -= 1)) -gt 0 ] || give_up "Redis did not start; see $dir/redis/server.log"
      sleep 0.1
    done
  fi
  printf 'TEST_POSTGRES_URL=postgres://kycc:kycc@127.0.0.1:%s/kycc\nTEST_REDIS_URL=redis://127.0.0.1:%s\n' \
    "$pg" "$redis" > "$dir/env"
}

stop() {
  [ -d "$dir" ] || return 0
  dir=$(cd "$dir" && pwd)
  if [ -s "$dir/redis.port" ]; then redis-cli -p "$(cat "$dir/redis.port")" shutdown nosave >/dev/null 2>&1 || true; fi
  if [ -d "$dir/postgres" ]; then as_owner "$bin/pg_ctl" -D "$dir/postgres" -w -m fast stop >/dev/null 2>&1 || true; fi
}

kill_one() {
  dir=$(cd "$dir" && pwd)
  case $1 in
    postgres) as_owner "$bin/pg_ctl" -D "$dir/postgres" -w -m immediate stop >/dev/null ;;
    redis)
      local pid
      pid=$(cat "$dir/redis/server.pid")
      kill -KILL "$pid"
      while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
      ;;
    *) give_up "$usage" ;;
  esac
}

case $verb in
  start) start ;;
  stop) stop ;;
  kill) kill_one "${3:?$usage}" ;;
  *) give_up "$usage" ;;
esac
