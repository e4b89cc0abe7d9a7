#!/usr/bin/env bash
# Generates the Python stubs of all of kycc's contracts into generated/.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}
proto=../../proto
mkdir -p generated
mapfile -t files < <(cd "$proto" && find kycc -name '*.proto')
"$python" -m grpc_tools.protoc -I "$proto" --python_out=generated --grpc_python_out=generated "${files[@]}"
