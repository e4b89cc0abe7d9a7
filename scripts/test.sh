#!/usr/bin/env bash
# Every test, or those that the arguments of nextest select, beside PostgreSQL, Redis and S3 servers of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

servers=$(mktemp -d "${TMPDIR:-/tmp}/kycc-servers.XXXXXX")
trap 'scripts/servers.sh stop "$servers"; rm -rf "$servers"' EXIT
scripts/servers.sh start "$servers"
set -a
. "$servers/env"
set +a
[ $# -gt 0 ] || set -- --workspace --no-fail-fast
cargo nextest run --locked "$@"
