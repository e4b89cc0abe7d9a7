#!/usr/bin/env bash
# Measures the orchestrator beside PostgreSQL and Redis of its own, both durable, and Dagster on the same no-op steps.
set -euo pipefail
usage='usage: bench/orchestration.sh EXAMPLES_FOLDER KYCC'
examples=${1:?$usage}
kycc=${2:?$usage}
cd "$(dirname "$0")/.."
python=${BENCH_DAGSTER:-.tools/dagster/bin/python}
if [ -z "${BENCH_DAGSTER:-}" ] && [ ! -x "$python" ]; then
  echo "bench: installing Dagster into .tools/dagster"
  python3 -m venv .tools/dagster
  .tools/dagster/bin/pip install --quiet 'dagster==1.13.29'
fi
servers=$(mktemp -d "${TMPDIR:-/tmp}/kycc-bench.XXXXXX")
trap 'scripts/servers.sh stop "$servers"; rm -rf "$servers"' EXIT
scripts/servers.sh start "$servers" without-s3
"$python" bench/orchestration.py "$examples" "$kycc" "$servers"
