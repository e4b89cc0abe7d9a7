//! The card as Markdown: what it is, what it must not be used for, what it learned from, and who approved it.

use super::table::{Table, count, facts, figure, one_line, or_unknown, percent};
use super::{ModelCard, scores, verdict};
use crate::gates::Verdict;
use crate::split::SplitKind;

pub(super) fn render(card: &ModelCard) -> String {
    let mut out = format!("# Scorecard {}\n\n", card.identity.version);
    out.push_str(&standing(card));
    out.push_str("\n\n");
    out.push_str(&identity(card));
    for (title, body) in [
        ("Limits", limits(card)),
        ("Data", data(card)),
        ("Labels", labels(card)),
        ("Model", scores::model(card)),
        ("Metrics of the model on the holdout", scores::metrics(card)),
        ("Points", scores::points(card)),
        (
            "Scores, bands and probability of default",
            scores::scale(card),
        ),
        ("Gates", verdict::gates(card)),
        ("What the change does", verdict::impact(card)),
        ("Approvals", approvals(card)),
        ("Rules that may apply", REGULATION.to_owned()),
    ] {
        out.push_str(&format!("\n## {title}\n\n{}\n", body.trim_end()));
    }
    out
}

/// In general words: which text applies, and what it says today, is for those to look up who put the card to use.
const REGULATION: &str = "\
Which of these apply depends on who uses the card, where, and for what; what they ask for is to be read in the primary
texts, not here: supervisory guidance on model risk management; rules on reasons for adverse credit decisions; the
prudential definition of default; guidelines on loan origination and monitoring; accounting for expected credit losses;
rules for artificial intelligence in credit scoring; data protection where parties are natural persons.
";

fn standing(card: &ModelCard) -> String {
    let Some(report) = &card.gates else {
        return "**Not judged.** No gate has looked at it.".to_owned();
    };
    if let Some(last) = card.approvals.last() {
        return format!(
            "**Approved** by {} on {}.",
            one_line(&last.by),
            one_line(&last.at)
        );
    }
    let wanting: Vec<&str> = report.wanting_notes().map(|gate| gate.name()).collect();
    match (report.verdict, report.activatable) {
        (Verdict::Failed, _) => {
            "**Failed.** It stays a draft: gates stand against it (see below).".to_owned()
        }
        (Verdict::Gated, false) => {
            "**Gated, but not to be activated:** no bad outcome was observed.".to_owned()
        }
        (Verdict::Gated, true) if wanting.is_empty() => {
            "**Gated.** Ready for a person to approve or turn down.".to_owned()
        }
        (Verdict::Gated, true) => format!(
            "**Gated.** Ready for a person to approve or turn down; {} a note.",
            match &wanting[..] {
                [only] => format!("{only} wants"),
                several => format!("{} want", several.join(", ")),
            }
        ),
    }
}

fn identity(card: &ModelCard) -> String {
    let of = &card.identity;
    facts(vec![
        ("Hash", Some(of.hash.to_string())),
        ("Author", of.author.clone()),
        ("Created", of.created_at.clone()),
        ("Model", of.model_id.clone()),
        (
            "Share of the model",
            of.blend
                .map(|blend| format!("{} (the rest is the champion's)", percent(blend))),
        ),
        ("Champion", of.champion_version.clone()),
        (
            "Champion's hash",
            of.champion_hash.as_ref().map(ToString::to_string),
        ),
    ])
}

fn limits(card: &ModelCard) -> String {
    if card.limits.is_empty() {
        return "None follow from the facts below.".to_owned();
    }
    let line = |limit: &super::Limit| format!("- **{}** {}\n", limit.code, one_line(&limit.text));
    card.limits.iter().map(line).collect()
}

fn data(card: &ModelCard) -> String {
    let data = &card.data;
    let as_of = match (&data.as_of_from, &data.as_of_to) {
        (Some(from), Some(to)) if from == to => Some(from.clone()),
        (None, None) => None,
        (from, to) => Some(format!(
            "{} to {}",
            or_unknown(from.clone()),
            or_unknown(to.clone())
        )),
    };
    let mut out = facts(vec![
        (
            "Batches",
            (!data.batches.is_empty()).then(|| data.batches.join(", ")),
        ),
        ("As of", as_of),
        ("Split", data.split.map(split)),
        ("Rows' digest", data.dataset_digest.clone()),
        ("Code", data.code_version.clone()),
    ]);
    let mut parts = Table::new(&["<Part", "Rows", "Bads", "Bad rate", "Observed weight"]);
    for (name, part) in [("training", data.train), ("holdout", data.holdout)] {
        parts.row([
            name.to_owned(),
            count(part.rows),
            count(part.bads),
            or_unknown(part.bad_rate().map(percent)),
            percent(part.observed_share),
        ]);
    }
    out.push('\n');
    out.push_str(&parts.render());
    out
}

fn split(kind: SplitKind) -> String {
    match kind {
        SplitKind::Stratified => "one as-of; a fifth of each class held out".to_owned(),
        SplitKind::OutOfTime {
            holdout_from_micros,
            removed,
        } => {
            let from = chrono::DateTime::from_timestamp_micros(holdout_from_micros)
                .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true));
            format!(
                "out of time; held out from {} on, {} older rows of the same parties removed",
                or_unknown(from),
                count(removed)
            )
        }
    }
}

fn labels(card: &ModelCard) -> String {
    let labels = &card.labels;
    let mut out = facts(vec![
        ("Policy", labels.policy.clone()),
        (
            "Window",
            labels.window_days.map(|days| format!("{days} days")),
        ),
        ("Data cut", labels.data_cut.clone()),
        (
            "Without a label",
            (!labels.unlabelled.is_empty()).then(|| {
                let each = labels.unlabelled.iter();
                each.map(|(why, rows)| format!("{} {why}", count(*rows)))
                    .collect::<Vec<_>>()
                    .join(", ")
            }),
        ),
    ]);
    let mut mix = Table::new(&["<Source", "Rows", "Bads", "Weight of a row"]);
    for source in &labels.mix {
        mix.row([
            source.source.clone(),
            count(source.rows),
            count(source.bads),
            or_unknown(source.weight.map(figure)),
        ]);
    }
    if !mix.is_empty() {
        out.push('\n');
        out.push_str(&mix.render());
    }
    out
}

fn approvals(card: &ModelCard) -> String {
    if card.approvals.is_empty() {
        return "None yet.".to_owned();
    }
    card.approvals
        .iter()
        .map(|approval| {
            let own = if approval.self_approved {
                ", who also wrote it"
            } else {
                ""
            };
            let notes: String = approval
                .notes
                .iter()
                .map(|note| format!("  - {}: {}\n", note.gate.name(), one_line(&note.note)))
                .collect();
            format!(
                "- {} on {}{own}: {}\n{notes}",
                one_line(&approval.by),
                one_line(&approval.at),
                one_line(&approval.reason)
            )
        })
        .collect()
}
