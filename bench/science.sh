#!/usr/bin/env bash
# Compares the kernels of scoring with their Python peers, in an environment of its own under .tools.
set -euo pipefail
example=${1:?usage: bench/science.sh EXAMPLE}
here=$(dirname "$0")
python=${BENCH_PYTHON:-.tools/bench/bin/python}
if [ -z "${BENCH_PYTHON:-}" ] && ! cmp -s "$here/requirements.txt" .tools/bench/requirements.txt; then
  command -v python3 >/dev/null || { echo "bench: please install python3 with its venv module" >&2; exit 1; }
  echo "bench: installing the peers into .tools/bench"
  python3 -m venv .tools/bench
  .tools/bench/bin/pip install --quiet --requirement "$here/requirements.txt"
  cp "$here/requirements.txt" .tools/bench/requirements.txt
fi
exec "$python" "$here/science.py" "$example"
