#!/usr/bin/env bash
# Every test, beside PostgreSQL, Redis and S3 servers of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

servers=$(mktemp -d "${TMPDIR:-/tmp}/kycc-servers.XXXXXX")
trap 'scripts/servers.sh stop "$servers"; rm -rf "$servers"' EXIT
scripts/servers.sh start "$servers"
set -a
. "$servers/env"
set +a
cargo nextest run --locked --workspace --no-fail-fast "$@"
