//! The example runs as it stands, on a batch of our own making.

use std::collections::BTreeSet;

#[path = "../examples/execute_job.rs"]
#[expect(dead_code, reason = "its main is for people")]
mod example;

#[tokio::test]
async fn a_program_runs_the_main_job_in_its_own_process() {
    let folder = tempfile::tempdir().unwrap();
    let spec = kycc_synthetic::Spec::new("BATCH_900", 300, 7);
    let written = kycc_synthetic::write(&spec, folder.path()).unwrap();
    let data_dir = folder.path().join("data");

    let first = example::score(&data_dir, &written.source, &spec.batch_id)
        .await
        .unwrap();
    assert!(first.succeeded(), "{first}");
    let scored = first.metadata("score_batch", "parties_scored");
    assert_eq!(scored, Some(300.into()));

    let again = example::score(&data_dir, &written.source, &spec.batch_id)
        .await
        .unwrap();
    assert!(again.succeeded(), "{again}");
    let digests = |run: &kycc_embed::FinishedRun| -> BTreeSet<(String, String)> {
        let steps = &run.as_proto().steps;
        let outputs = steps.iter().flat_map(|step| &step.outputs);
        outputs
            .map(|output| (output.dataset.clone(), output.digest.clone()))
            .collect()
    };
    assert_eq!(digests(&first), digests(&again));
    assert!(
        again.as_proto().steps.iter().all(|step| step.memoized),
        "{again}"
    );
}
