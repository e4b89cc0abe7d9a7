//! `kycc score …`.

mod changes;
mod improve;

use std::collections::HashMap;

use anyhow::{Context, bail};
use kycc_proto::scoring::v1::{
    GetScoreRequest, ListScoresRequest, Reason, Score, ScoreFeaturesRequest,
};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use crate::args::{Global, ScoreCommand};
use crate::connection::Connection;
use crate::show::{Table, chart, json as show_json, text};

/// Scores asked for at once.
const PAGE: u32 = 1_000;

pub(crate) async fn run(global: &Global, command: ScoreCommand) -> anyhow::Result<()> {
    let connection = Connection::for_reading(global).await?;
    let outcome = match command {
        ScoreCommand::Get { party, batch } => get(&connection, global, party, batch).await,
        ScoreCommand::List { batch, band, limit } => {
            list(&connection, global, batch, band, limit).await
        }
        ScoreCommand::WhatIf {
            features,
            scorecard,
        } => what_if(&connection, global, features, scorecard).await,
        ScoreCommand::History { party, limit } => {
            changes::history(&connection, global, party, limit).await
        }
        ScoreCommand::Transitions { batch, base, limit } => {
            changes::transitions(&connection, global, batch, base, limit).await
        }
        ScoreCommand::Watch { after, bands } => {
            changes::watch(&connection, global, after, bands).await
        }
        ScoreCommand::Improve(args) => improve::show(&connection, global, args).await,
    };
    connection.close().await;
    outcome
}

async fn get(
    connection: &Connection,
    global: &Global,
    party: String,
    batch: Option<String>,
) -> anyhow::Result<()> {
    let score = fetch(connection, party, batch.unwrap_or_default()).await?;
    if global.json {
        show_json::print(&as_json(&score));
    } else {
        print(&score);
    }
    Ok(())
}

/// One score with its contributions. `batch` empty: the newest scored one.
pub(crate) async fn fetch(
    connection: &Connection,
    party_id: String,
    batch_id: String,
) -> anyhow::Result<Score> {
    let answer = connection
        .scoring()
        .get_score(GetScoreRequest {
            party_id,
            batch_id,
            read_mask: None,
        })
        .await;
    answer
        .map_err(ClientError::from)?
        .into_inner()
        .score
        .context("the server answered without a score")
}

/// The first `limit` scores of a batch, in party order.
pub(crate) async fn fetch_list(
    connection: &Connection,
    batch: &str,
    band: &str,
    limit: u32,
) -> anyhow::Result<Vec<Score>> {
    let mut scores = Vec::new();
    let mut page_token = String::new();
    loop {
        let wanted = limit
            .saturating_sub(u32::try_from(scores.len()).unwrap_or(u32::MAX))
            .min(PAGE);
        if wanted == 0 {
            return Ok(scores);
        }
        let request = ListScoresRequest {
            batch_id: batch.to_owned(),
            band: band.to_owned(),
            page_size: i32::try_from(wanted).unwrap_or(i32::MAX),
            page_token,
            ..ListScoresRequest::default()
        };
        let answer = connection
            .scoring()
            .list_scores(request)
            .await
            .map_err(ClientError::from)?
            .into_inner();
        scores.extend(answer.scores);
        if answer.next_page_token.is_empty() {
            return Ok(scores);
        }
        page_token = answer.next_page_token;
    }
}

async fn list(
    connection: &Connection,
    global: &Global,
    batch: String,
    band: Option<String>,
    limit: u32,
) -> anyhow::Result<()> {
    let scores = fetch_list(connection, &batch, &band.unwrap_or_default(), limit).await?;
    if global.json {
        show_json::print(&json!({"scores": scores.iter().map(as_json).collect::<Vec<_>>()}));
        return Ok(());
    }
    let mut table = Table::new(&[
        "party_id",
        "#raw",
        "#score",
        "#final_score",
        "band",
        "flags",
        "reasons",
    ]);
    for score in &scores {
        table.row([
            score.party_id.clone(),
            format!("{:.3}", score.raw),
            score.score.to_string(),
            score.final_score.to_string(),
            score.band.clone(),
            score.flags.join(" "),
            score
                .reasons
                .iter()
                .map(|reason| reason.code.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        ]);
    }
    table.print("no party of the batch is in that band");
    Ok(())
}

async fn what_if(
    connection: &Connection,
    global: &Global,
    features: Vec<(String, String)>,
    scorecard: Option<String>,
) -> anyhow::Result<()> {
    let request = ScoreFeaturesRequest {
        features: values(features)?,
        scorecard_version: scorecard.unwrap_or_default(),
        read_mask: None,
    };
    let answer = connection
        .scoring()
        .score_features(request)
        .await
        .map_err(ClientError::from)?;
    let score = answer
        .into_inner()
        .score
        .context("the server answered without a score")?;
    if global.json {
        show_json::print(&as_json(&score));
    } else {
        print(&score);
    }
    Ok(())
}

/// What was typed as `--feature NAME=VALUE`.
fn values(features: Vec<(String, String)>) -> anyhow::Result<HashMap<String, f64>> {
    let mut values = HashMap::with_capacity(features.len());
    for (name, value) in features {
        let number = value
            .parse()
            .with_context(|| format!("--feature {name}={value}: not a number"))?;
        if values.contains_key(&name) {
            bail!("--feature {name} is given twice: give each feature once");
        }
        values.insert(name, number);
    }
    Ok(values)
}

/// The score with everything that made it.
pub(crate) fn print(score: &Score) {
    let who = if score.party_id.is_empty() {
        "what if"
    } else {
        &score.party_id
    };
    outln!(
        "{who}  {} {}  (card {}: raw {:.3} → {}{})",
        score.final_score,
        score.band,
        score.scorecard_version,
        score.raw,
        score.score,
        adjustments(score),
    );
    for contribution in score
        .contributions
        .iter()
        .filter(|part| part.max_points > 0.0)
    {
        outln!(
            "  {:<28} {:>12}  {:<12} {:>6.1} of {:>5.1}",
            contribution.feature,
            text::decimal(contribution.value, 2),
            chart::bar(contribution.points / contribution.max_points, 12),
            contribution.points,
            contribution.max_points,
        );
    }
    print_reasons("  below the average", &score.reasons);
    print_reasons("  below those just approved", &score.cutoff_reasons);
    if !score.flags.is_empty() {
        outln!("  flags: {}", score.flags.join(", "));
    }
}

fn adjustments(score: &Score) -> String {
    if score.rules_fired.is_empty() {
        String::new()
    } else {
        format!(", rules {}", score.rules_fired.join(" "))
    }
}

fn print_reasons(heading: &str, reasons: &[Reason]) {
    if reasons.is_empty() {
        return;
    }
    outln!("{heading}:");
    for reason in reasons {
        outln!(
            "    {:<34} −{:.1}  {}",
            reason.code,
            reason.points_lost,
            reason.text
        );
    }
}

pub(crate) fn as_json(score: &Score) -> Value {
    let reasons = |list: &[Reason]| {
        let rows = list
            .iter()
            .map(|r| json!({"code": r.code, "text": r.text, "points_lost": r.points_lost}));
        rows.collect::<Vec<_>>()
    };
    let mut value = json!({
        "party_id": score.party_id,
        "batch_id": score.batch_id,
        "scorecard_version": score.scorecard_version,
        "as_of_time": text::rfc3339(score.as_of_time),
        "raw": score.raw,
        "score": score.score,
        "final_score": score.final_score,
        "band": score.band,
        "flags": score.flags,
        "rules_fired": score.rules_fired,
        "reasons": reasons(&score.reasons),
        "cutoff_reasons": reasons(&score.cutoff_reasons),
    });
    if !score.contributions.is_empty() {
        let parts = score.contributions.iter().map(|part| {
            json!({
                "feature": part.feature, "value": part.value, "scaled": part.scaled,
                "weight": part.weight, "points": part.points, "max_points": part.max_points,
            })
        });
        value["contributions"] = parts.collect::<Vec<_>>().into();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_is_a_number_and_is_given_once() {
        let read = |given: &[(&str, &str)]| {
            let given = given
                .iter()
                .map(|&(name, value)| (name.into(), value.into()));
            values(given.collect())
        };
        let two = read(&[("a", "1"), ("b", "-2.5")]).unwrap();
        assert_eq!((two["a"], two["b"]), (1.0, -2.5));
        let twice = read(&[("a", "1"), ("b", "2"), ("a", "1")]).unwrap_err();
        assert!(twice.to_string().contains("--feature a is given twice"));
        let word = read(&[("a", "one")]).unwrap_err();
        assert!(word.to_string().contains("--feature a=one"));
    }
}
