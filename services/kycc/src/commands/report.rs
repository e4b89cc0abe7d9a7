//! `kycc report`: what a run made of a batch, on one page; `kycc report drift`: how far a batch has moved.

mod drift;

use kycc_proto::orchestrator::v1::GetMaterializationRequest;
use kycc_proto::scorecards::v1::{
    GetVersionRequest, ListVersionsRequest, ScorecardStatus, ScorecardVersion,
};
use kycc_proto::scoring::v1::{GetStatisticsRequest, GetStatisticsResponse, Score};
use kycc_rpc::ClientError;

use super::{model, score, scorecard};
use crate::args::{Global, ReportArgs, ReportCommand};
use crate::connection::Connection;
use crate::show::{chart, text};

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
        })
        .await;
    let statistics = statistics.map_err(ClientError::from)?.into_inner();
    print_bands(&batch, &statistics);
    heading("Scores, explained");
    for example in examples(connection, &batch, &statistics, args.explain).await? {
        score::print(&score::fetch(connection, example.party_id, batch.clone()).await?);
        outln!("");
    }
    if let Some(draft) = newest_draft(connection).await? {
        heading("The model");
        model::print(&model::fetch(connection, draft.model_id.clone()).await?);
        heading("The refined draft against the active scorecard");
        let request = GetVersionRequest {
            version: String::new(),
        };
        let active = connection
            .scorecards()
            .get_version(request)
            .await
            .map_err(ClientError::from)?
            .into_inner();
        let active = active
            .version
            .map(|version| version.version)
            .unwrap_or_default();
        scorecard::print_comparison(
            &scorecard::compare(connection, active, draft.version.clone()).await?,
        );
        outln!("\n  Look at it: kycc scorecard show {}", draft.version);
        if draft.status() == ScorecardStatus::Gated {
            outln!(
                "  A person other than its author activates it: kycc scorecard activate {} --reason …",
                draft.version
            );
        } else {
            outln!("  It stays a draft: the gates above stand against it.");
        }
    }
    heading("Where everything lies");
    outln!("  {}", global.data_dir.display());
    outln!("  lake/     every dataset version, as Parquet with its manifest");
    outln!("  state.db  runs, models, scorecards (SQLite)");
    Ok(())
}

fn heading(text: &str) {
    outln!("\n{text}\n{}", "─".repeat(text.chars().count()));
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
