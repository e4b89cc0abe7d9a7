//! Runs the main job on one batch document, in this process:
//! `cargo run -p kycc-embed --example execute_job -- path/to/BATCH_001_profiles.json`

use std::path::Path;

use kycc_embed::{FinishedRun, Fleet, FleetConfig};
use serde_json::json;

type Error = Box<dyn std::error::Error>;

pub(crate) async fn score(
    data_dir: &Path,
    file: &Path,
    batch_id: &str,
) -> Result<FinishedRun, Error> {
    let mut config = FleetConfig::embedded(data_dir);
    config
        .allowed_roots
        .extend(file.parent().map(Path::to_owned));
    let fleet = Fleet::in_process(config).await?;
    let ingest = json!({"batch_id": batch_id, "source_uri": file});
    let run_config = json!({"ops": {"ingest_synthetic_batch": {"config": ingest}}});
    let run = fleet.execute_job("full_scoring_job", run_config).await?;
    fleet.shutdown().await;
    Ok(run)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let file = std::env::args_os().nth(1).ok_or("name a batch document")?;
    let file = std::path::absolute(file)?;
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let batch_id = name.trim_end_matches("_profiles.json");
    println!("{}", score(Path::new("kycc-data"), &file, batch_id).await?);
    Ok(())
}
