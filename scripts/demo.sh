#!/usr/bin/env bash
# The main job from end to end: generate a batch with outcomes, run every asset, show what came of it.
set -euo pipefail

kycc=${1:?usage: demo.sh KYCC FOLDER}
export KYCC_DATA_DIR=${2:?usage: demo.sh KYCC FOLDER}
landing=${KYCC_LANDING:-$KYCC_DATA_DIR/landing}
started=$(date +%s)

echo "── a synthetic supply chain of 2,000 companies"
"$kycc" batch generate --parties 2000 --seed 42 --batch DEMO_001
echo
echo "── full_scoring_job: ingest, features, scores, labels, model, refined scorecard"
"$kycc" job execute -j full_scoring_job \
  --file "$landing/DEMO_001_profiles.json" \
  --labels "$landing/DEMO_001_labels.json"
echo
"$kycc" report --batch DEMO_001 --explain 5
echo
echo "Done in $(($(date +%s) - started)) seconds."
[ -z "${KYCC_SERVER:-}" ] || exit 0
echo "Next:"
echo "  $kycc --data-dir $KYCC_DATA_DIR score list --batch DEMO_001 --band poor"
echo "  $kycc --data-dir $KYCC_DATA_DIR dev        # gRPC on 50051, console on http://127.0.0.1:3000"
