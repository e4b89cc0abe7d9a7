//! `kycc job …` and `kycc reload`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use kycc_proto::orchestrator::v1::{
    LaunchRunRequest, ListJobsRequest, ReloadDefinitionsRequest, Run,
};
use kycc_rpc::ClientError;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::args::{ExecuteArgs, Global, JobCommand};
use crate::connection::Connection;
use crate::show::{Table, json as show_json};
use crate::{inputs, watch};

pub(crate) async fn run(global: &Global, command: JobCommand) -> anyhow::Result<ExitCode> {
    match command {
        JobCommand::Execute(args) => execute(global, *args).await,
        JobCommand::List => list(global).await.map(|()| ExitCode::SUCCESS),
    }
}

async fn execute(global: &Global, args: ExecuteArgs) -> anyhow::Result<ExitCode> {
    let Asked {
        config,
        batch,
        files,
    } = asked(&args)?;
    let request = LaunchRunRequest {
        job: args.job,
        batch_id: batch.unwrap_or_default(),
        run_config_json: config.to_string(),
        request_id: Uuid::new_v4().to_string(),
        tags: args.tags.into_iter().collect(),
        ..LaunchRunRequest::default()
    };
    let connection = Connection::for_runs(global, &args.fleet, &files).await?;
    let code = launch(&connection, request, global.json).await;
    connection.close().await;
    code
}

/// What a person asked for, put together from config and flags.
struct Asked {
    config: Value,
    /// Absent: the server takes the one that the config names.
    batch: Option<String>,
    /// What the run reads.
    files: Vec<PathBuf>,
}

fn asked(args: &ExecuteArgs) -> anyhow::Result<Asked> {
    let mut config = inputs::run_config(args.config.as_deref())?;
    let mut batch = args.batch.clone();
    let mut files = Vec::new();
    if let Some(file) = &args.file {
        let path = inputs::existing(file, "--file")?;
        inputs::set_ingest(&mut config, "source_uri", &path.to_string_lossy(), "--file")?;
        if batch.is_none() && inputs::batch_of(&config).is_none() {
            batch = Some(inputs::batch_named_by(&path)?);
        }
        files.push(path);
    }
    if let Some(labels) = &args.labels {
        let path = inputs::existing(labels, "--labels")?;
        inputs::set_ingest(
            &mut config,
            "labels_uri",
            &path.to_string_lossy(),
            "--labels",
        )?;
        files.push(path);
    }
    Ok(Asked {
        config,
        batch,
        files,
    })
}

/// Launches, follows, shows the end of it.
pub(crate) async fn launch(
    connection: &Connection,
    request: LaunchRunRequest,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    let answer = connection
        .orchestrator()
        .launch_run(request)
        .await
        .map_err(ClientError::from);
    let run = answer.context("the run was not launched")?.into_inner().run;
    let run = run.context("the server answered without a run")?;
    follow_to_end(connection, run, as_json).await
}

/// Follows a launched run and shows how it ended.
pub(crate) async fn follow_to_end(
    connection: &Connection,
    run: Run,
    as_json: bool,
) -> anyhow::Result<ExitCode> {
    if !as_json {
        eprintln!("run {} of {} for {}", run.run_id, label(&run), run.batch_id);
    }
    let ended = watch::follow(connection, run, as_json).await?;
    if as_json {
        show_json::print(&show_json::run(&ended));
    } else {
        super::run::print(&ended);
    }
    Ok(watch::exit_code(&ended))
}

fn label(run: &Run) -> &str {
    if run.job.is_empty() {
        "chosen assets"
    } else {
        &run.job
    }
}

async fn list(global: &Global) -> anyhow::Result<()> {
    let connection = Connection::for_catalogue(global).await?;
    let answer = connection
        .orchestrator()
        .list_jobs(ListJobsRequest {})
        .await
        .map_err(ClientError::from)?;
    let answer = answer.into_inner();
    connection.close().await;
    if global.json {
        let jobs = answer.jobs.iter().map(|job| {
            json!({
                "name": job.name, "description": job.description, "assets": job.assets,
                "default_config": show_json::parsed(&job.default_config_json),
            })
        });
        show_json::print(&json!({
            "location_name": answer.location_name,
            "definitions_hash": answer.definitions_hash,
            "jobs": jobs.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    let mut table = Table::new(&["job", "#assets", "description"]);
    for job in &answer.jobs {
        table.row([
            job.name.clone(),
            job.assets.len().to_string(),
            job.description.clone(),
        ]);
    }
    table.print("no jobs are defined");
    Ok(())
}

pub(crate) async fn reload(global: &Global) -> anyhow::Result<()> {
    let connection = Connection::to_running(global).await?;
    let request = ReloadDefinitionsRequest::default();
    let answer = connection
        .orchestrator()
        .reload_definitions(request)
        .await
        .map_err(ClientError::from);
    let answer = answer
        .context("the definitions were not reloaded; those before stay in force")?
        .into_inner();
    if global.json {
        show_json::print(
            &json!({"definitions_hash": answer.definitions_hash, "changed": answer.changed}),
        );
    } else if answer.changed {
        outln!(
            "definitions {} are in force; runs that have started keep theirs",
            short(&answer.definitions_hash)
        );
    } else {
        outln!(
            "nothing has changed; definitions {} stay in force",
            short(&answer.definitions_hash)
        );
    }
    Ok(())
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
