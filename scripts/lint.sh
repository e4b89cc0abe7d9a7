#!/usr/bin/env bash
# Every check that is not a test. Stops at the first that fails.
set -euo pipefail

echo "lint: formatting"
cargo fmt --all --check
echo "lint: protos"
(
  cd proto
  buf=../.tools/node_modules/.bin/buf
  "$buf" lint
  "$buf" format -d --exit-code
  # Against the contracts as they were last released.
  "$buf" breaking --against released.binpb
)
echo "lint: clippy"
cargo clippy --locked --workspace --all-targets -- -D warnings
echo "lint: licences, bans, sources"
cargo deny --log-level error check licenses bans sources
echo "lint: clean"
