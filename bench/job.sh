#!/usr/bin/env bash
# Measures the main job; the report goes to the terminal, the data to a folder that is removed at the end.
set -euo pipefail
kycc=${1:?usage: bench/job.sh KYCC}
command -v python3 >/dev/null || { echo "bench: please install python3" >&2; exit 1; }
exec python3 "$(dirname "$0")/main_job.py" "$kycc"
