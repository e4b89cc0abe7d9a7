#!/usr/bin/env bash
# Every check that is not a test. Stops at the first that fails.
set -euo pipefail

echo "lint: formatting"
cargo fmt --all --check
echo "lint: protos"
(cd proto && ../.tools/node_modules/.bin/buf lint && ../.tools/node_modules/.bin/buf format -d --exit-code)
echo "lint: clippy"
cargo clippy --locked --workspace --all-targets -- -D warnings
echo "lint: licences, bans, sources"
cargo deny --log-level error check licenses bans sources
echo "lint: clean"
