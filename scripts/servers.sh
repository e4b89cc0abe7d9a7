#!/usr/bin/env bash
# Private PostgreSQL, Redis and S3 (SeaweedFS) servers on free ports, with their data in one folder.
#   servers.sh start DIR [without-s3]    starts them (again, on the same ports, where DIR is known), writes DIR/env
#   servers.sh stop DIR                  stops them; the data stays
#   servers.sh kill DIR postgres|redis   ends one as a power cut would
# The first two are durable: every commit and every append is on disk before it is answered. The third takes only signed
# requests, and has the bucket `kycc`.
set -euo pipefail

usage='usage: servers.sh start DIR [without-s3], servers.sh stop DIR, or servers.sh kill DIR postgres|redis'
verb=${1:?$usage}
dir=${2:?$usage}
without_s3=
[ "$verb ${3:-}" != "start without-s3" ] || without_s3=1
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

# Whether the S3 server of this folder runs; another process may have its number by now.
s3_runs() {
  [ -s "$dir/s3/server.pid" ] && ps -o args= -p "$(cat "$dir/s3/server.pid")" 2>/dev/null | grep -qF -- "-dir=$dir/s3/data"
}

# It takes seconds to come up, so that it is launched first and awaited last.
launch_s3() {
  local weed
  weed=$(cd "$(dirname "$0")/.." && pwd)/.tools/venv/bin/weed
  [ -x "$weed" ] || weed=$(command -v weed) || give_up "SeaweedFS is missing: run scripts/setup.sh test"
  mkdir -p "$dir/s3/data"
  [ -s "$dir/s3/ports" ] || { for _ in 1 2 3 4 5 6 7 8; do free_port; done; } > "$dir/s3/ports"
  ( umask 077
    [ -s "$dir/s3/secret" ] || python3 -c 'import secrets; print(secrets.token_hex(20))' > "$dir/s3/secret"
    printf '{"identities":[{"name":"kycc","credentials":[{"accessKey":"kycc-test","secretKey":"%s"}],"actions":["Admin"]}]}\n' \
      "$(cat "$dir/s3/secret")" > "$dir/s3/keys.json" )
  s3_runs && return
  local port
  mapfile -t port < "$dir/s3/ports"
  # From its folder, because the path of a socket may not be long.
  cd "$dir/s3"
  setsid "$weed" -logtostderr=true server -dir="$dir/s3/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
    -master.port="${port[0]}" -master.port.grpc="${port[1]}" -master.telemetry=false -master.electionTimeout=1s \
    -master.volumeSizeLimitMB=256 \
    -volume.port="${port[2]}" -volume.port.grpc="${port[3]}" -volume.max=0 -volume.preStopSeconds=1 \
    -filer -filer.port="${port[4]}" -filer.port.grpc="${port[5]}" -filer.localSocket=filer.sock \
    -s3 -s3.port="${port[6]}" -s3.port.grpc="${port[7]}" -s3.localSocket=s3.sock -s3.config=keys.json \
    -s3.port.iceberg=0 -s3.port.lance=0 -s3.autoCreateBucket=false >server.log 2>&1 </dev/null &
  echo $! > server.pid
  cd - >/dev/null
}

# Until a place for a file can be had, the bucket is made, and the gateway answers.
await_s3() {
  python3 - "$dir/s3/ports" <<'PYTHON' || give_up "the S3 server did not start; see $dir/s3/server.log"
import sys, time, urllib.error, urllib.request

ports = open(sys.argv[1]).read().split()
url = lambda port, path: f"http://127.0.0.1:{ports[port]}{path}"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
steps = [
    urllib.request.Request(url(0, "/dir/assign?collection=kycc")),
    urllib.request.Request(url(4, "/buckets/kycc/"), method="POST"),
    urllib.request.Request(url(6, "/")),
]
until = time.monotonic() + 120  # seconds, on a machine that has much else to do
while steps:
    try:
        done = b'"error"' not in opener.open(steps[0], timeout=5).read()
    except urllib.error.HTTPError as answer:
        done = answer.code in (409, 403)  # the bucket is there; the gateway is, and wants a signature
    except OSError:
        done = False
    if done:
        steps.pop(0)
    elif time.monotonic() > until:
        sys.exit(1)
    else:
        time.sleep(0.05)
PYTHON
}

# It lingers for ten seconds once it is told to stop; tests need no such grace.
stop_s3() {
  if s3_runs; then kill -9 "$(cat "$dir/s3/server.pid")" 2>/dev/null || true; fi
  if [ -s "$dir/s3/ports" ]; then
    while read -r port; do rm -f "/tmp/seaweedfs-"*"-grpc-$port.sock"; done < "$dir/s3/ports"
  fi
}

start() {
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  # The folders above are the caller's; the server's own must be passable for its user.
  chmod 755 "$dir"
  [ -s "$dir/postgres.port" ] || free_port > "$dir/postgres.port"
  [ -s "$dir/redis.port" ] || free_port > "$dir/redis.port"
  [ -n "$without_s3" ] || launch_s3
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
  [ -n "$without_s3" ] || await_s3
  # Not by the names that the AWS tools read: they would leak into every test.
  { printf 'TEST_POSTGRES_URL=postgres://kycc:kycc@127.0.0.1:%s/kycc\n' "$pg"
    printf 'TEST_REDIS_URL=redis://127.0.0.1:%s\n' "$redis"
    [ -n "$without_s3" ] && return
    printf 'TEST_S3_ENDPOINT=http://127.0.0.1:%s\n' "$(sed -n 7p "$dir/s3/ports")"
    printf 'TEST_S3_ACCESS_KEY=kycc-test\nTEST_S3_SECRET_KEY=%s\n' "$(cat "$dir/s3/secret")"
  } > "$dir/env"
}

stop() {
  [ -d "$dir" ] || return 0
  dir=$(cd "$dir" && pwd)
  stop_s3
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
