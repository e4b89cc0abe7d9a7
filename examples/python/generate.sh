#!/usr/bin/env bash
# Generates the Python stubs of all of kycc's contracts into the folder that is named, or into generated/.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/generated}
proto=$here/../../proto
mkdir -p "$out"
mapfile -t files < <(cd "$proto" && find kycc -name '*.proto')
"${PYTHON:-python3}" -m grpc_tools.protoc -I "$proto" --python_out="$out" --grpc_python_out="$out" "${files[@]}"
