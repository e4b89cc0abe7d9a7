//! `kycc report`: what a run made of a batch, on one page; `kycc report drift`: how far a batch has moved.

mod drift;
mod next;

use kycc_proto::orchestrator::v1::GetMaterializationRequest;
use kycc_proto::scorecards::v1::{GetVersionRequest, ListVersionsRequest, ScorecardVersion};
use kycc_proto::scoring::v1::{GetStatisticsRequest, GetStatisticsResponse, Score};
use kycc_rpc::ClientError;
use serde_json::Value;

use super::{model, score, scorecard};
use crate::args::{FleetArgs, Global, ReportArgs, ReportCommand};
use crate::connection::Connection;
use crate::show::{chart, json as show_json, text};

pub(crate) async fn run(global: &Global, args: ReportArgs) -> anyhow::Result<()> {
    if let Some(ReportCommand::Drift { batch, against }) = args.of {
        let connection = Connection::for_reading(global).await?;
        let outcome = drift::show(&connection, global, batch, against).await;
        connection.close().await;
        return outcome;
    }
    if global.json {
        anyhow::bail!(
            "the report is for people; programs find its parts under `kycc score|model|scorecard … --json`"
        );
    }
    let connection = Connection::for_reading(global).await?;
    let outcome = report(&connection, global, args).await;
    connection.close().await;
    outcome
}

async fn report(connection: &Connection, global: &Global, args: ReportArgs) -> anyhow::Result<()> {
    let batch = match args.batch {
        Some(batch) => batch,
        None => newest_scored(connection).await?,
    };
    let statistics = connection
        .scoring()
        .get_statistics(GetStatisticsRequest {
            batch_id: batch.clone(),
            if_none_match: String::new(),
        })
        .await;
    let statistics = statistics.map_err(ClientError::from)?.into_inner();
    print_bands(&batch, &statistics);
    heading("Scores, explained");
    for example in examples(connection, &batch, &statistics, args.explain).await? {
        score::print(&score::fetch(connection, example.party_id, batch.clone()).await?);
        outln!("");
    }
    print_draft(connection, &batch).await?;
    if crate::remote::named(global)?.is_some() {
        return Ok(());
    }
    heading("Where everything lies");
    let config = crate::fleet_config::resolve(global, &FleetArgs::default())?;
    outln!("  {}", config.data_dir.display());
    outln!("  lake/     every dataset version, as Parquet with its manifest");
    outln!("  state.db  runs, models, scorecards (SQLite)");
    Ok(())
}

/// The draft of the batch against the active card; where it has none, why, and the newest of other batches.
async fn print_draft(connection: &Connection, batch: &str) -> anyhow::Result<()> {
    let refined = refined(connection, batch).await?;
    let own = refined["draft_version"].as_str();
    let draft = match own {
        Some(version) => version_of(connection, version).await?,
        None => newest_draft(connection).await?,
    };
    let other = if own.is_some() {
        ""
    } else {
        let why = refined["reason"].as_str();
        outln!("\n{}", next::without(batch, why, draft.is_some()));
        ", of other batches"
    };
    let Some(draft) = draft else {
        return Ok(());
    };
    heading(&format!("The model{other}"));
    model::print(&model::fetch(connection, draft.model_id.clone()).await?);
    heading(&format!(
        "The refined draft{other} against the active scorecard"
    ));
    let active = version_of(connection, "").await?;
    let active = active.map(|version| version.version).unwrap_or_default();
    scorecard::print_comparison(
        &scorecard::compare(connection, active.clone(), draft.version.clone()).await?,
    );
    outln!("\n  Look at it: kycc scorecard show {}", draft.version);
    for line in next::of(&draft, &active) {
        outln!("  {line}");
    }
    Ok(())
}

/// What refining the batch left behind; null where that has not happened.
async fn refined(connection: &Connection, batch: &str) -> anyhow::Result<Value> {
    let request = GetMaterializationRequest {
        asset: "refine_scorecard".into(),
        batch_id: batch.to_owned(),
    };
    let answer = connection.orchestrator().get_materialization(request).await;
    let made = match answer {
        Ok(answer) => answer.into_inner().materialization,
        Err(status) if status.code() == tonic::Code::NotFound => None,
        Err(status) => return Err(ClientError::from(status).into()),
    };
    Ok(made.map_or(Value::Null, |made| show_json::metadata(&made.metadata)))
}

/// Empty: the active one.
async fn version_of(
    connection: &Connection,
    version: &str,
) -> anyhow::Result<Option<ScorecardVersion>> {
    let request = GetVersionRequest {
        version: version.to_owned(),
    };
    let answer = connection.scorecards().get_version(request).await;
    Ok(answer.map_err(ClientError::from)?.into_inner().version)
}

fn heading(text: &str) {
    outln!("\n{text}");
    outln!("{}", "─".repeat(text.chars().count()));
}

async fn newest_scored(connection: &Connection) -> anyhow::Result<String> {
    let request = GetMaterializationRequest {
        asset: "score_batch".into(),
        batch_id: String::new(),
    };
    let answer = connection
        .orchestrator()
        .get_materialization(request)
        .await
        .map_err(ClientError::from)?;
    Ok(answer
        .into_inner()
        .materialization
        .map(|made| made.batch_id)
        .unwrap_or_default())
}

fn print_bands(batch: &str, statistics: &GetStatisticsResponse) {
    outln!(
        "{batch}: {} parties scored by card {}, average {:.1}, from {} to {}",
        text::count(statistics.parties_scored),
        statistics.scorecard_version,
        statistics.avg_score,
        statistics.min_score,
        statistics.max_score,
    );
    let rows: Vec<_> = statistics
        .bands
        .iter()
        .map(|band| {
            (
                format!("{:<10} ≥ {}", band.band, band.min_score),
                band.parties,
            )
        })
        .collect();
    chart::print_counts(&rows);
}

/// One party of every band that has any, then more of the first bands, `wanted` in all.
async fn examples(
    connection: &Connection,
    batch: &str,
    statistics: &GetStatisticsResponse,
    wanted: u32,
) -> anyhow::Result<Vec<Score>> {
    let mut of_bands = Vec::new();
    for band in statistics.bands.iter().filter(|band| band.parties > 0) {
        of_bands.push(
            score::fetch_list(connection, batch, &band.band, wanted)
                .await?
                .into_iter(),
        );
    }
    let mut chosen = Vec::new();
    while chosen.len() < wanted as usize {
        let before = chosen.len();
        for scores in &mut of_bands {
            if chosen.len() < wanted as usize {
                chosen.extend(scores.next());
            }
        }
        if chosen.len() == before {
            break;
        }
    }
    chosen.sort_by(|a, b| {
        b.final_score
            .cmp(&a.final_score)
            .then_with(|| a.party_id.cmp(&b.party_id))
    });
    Ok(chosen)
}

/// The newest version that came out of a model.
async fn newest_draft(connection: &Connection) -> anyhow::Result<Option<ScorecardVersion>> {
    let request = ListVersionsRequest {
        page_size: 100,
        page_token: String::new(),
    };
    let answer = connection
        .scorecards()
        .list_versions(request)
        .await
        .map_err(ClientError::from)?;
    Ok(answer
        .into_inner()
        .versions
        .into_iter()
        .find(|version| !version.model_id.is_empty()))
}
