//! The gates with their numbers, and the tables of what a change of card changes.

use super::ModelCard;
use super::table::{Table, count, figure, or_unknown, percent};
use crate::gates::{CutoffRow, GateResult, Group, Impact};

pub(super) fn gates(card: &ModelCard) -> String {
    let Some(report) = &card.gates else {
        return "None has been evaluated.".to_owned();
    };
    let mut table = Table::new(&["<Gate", "<Result", "<Finding"]);
    for gate in &report.gates {
        table.row([
            gate.gate.name().to_owned(),
            gate.status.words().to_owned(),
            gate.message.clone(),
        ]);
    }
    let mut out = table.render();
    for gate in &report.gates {
        let numbers = numbers(gate);
        if !numbers.is_empty() {
            out.push_str(&format!("\n### {}\n\n{numbers}", gate.gate.name()));
        }
    }
    out
}

/// Plain numbers below each other; those named `figure.subject` as one row per subject.
fn numbers(gate: &GateResult) -> String {
    let (mut figures, mut subjects) = (Vec::new(), Vec::new());
    let mut plain = Table::new(&["<Number", "Value"]);
    for number in &gate.numbers {
        match number.name.split_once('.') {
            Some((name, subject)) => {
                if !figures.contains(&name) {
                    figures.push(name);
                }
                if !subjects.contains(&subject) {
                    subjects.push(subject);
                }
            }
            None => plain.row([words(&number.name), figure(number.value)]),
        }
    }
    let mut out = if plain.is_empty() {
        String::new()
    } else {
        plain.render()
    };
    if subjects.is_empty() {
        return out;
    }
    let names: Vec<String> = figures.iter().map(|name| words(name)).collect();
    let columns = std::iter::once("<").chain(names.iter().map(String::as_str));
    let mut table = Table::new(&columns.collect::<Vec<_>>());
    for subject in subjects {
        let value = |name: &&str| gate.get(&format!("{name}.{subject}")).map(figure);
        let values = figures.iter().map(|name| or_unknown(value(name)));
        table.row(std::iter::once(subject.to_owned()).chain(values));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&table.render());
    out
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

pub(super) fn impact(card: &ModelCard) -> String {
    let Some(report) = &card.gates else {
        return "Not worked out.".to_owned();
    };
    let impact = &report.impact;
    let outcomes = match impact.bads {
        Some(bads) => format!("{} of them bad", count(bads)),
        None => "no outcome observed, so that nobody is counted as bad".to_owned(),
    };
    let mut out = format!(
        "Both cards on the same {} parties of the holdout, {outcomes}.\n",
        count(impact.parties)
    );
    for (title, body) in [
        ("At the cutoff", swap(impact)),
        ("From band to band", migration(impact)),
        ("Cut-offs of this card", cutoffs(&impact.challenger_cutoffs)),
        (
            "Cut-offs of the champion",
            cutoffs(&impact.champion_cutoffs),
        ),
    ] {
        out.push_str(&format!("\n### {title}\n\n{body}"));
    }
    out
}

fn swap(impact: &Impact) -> String {
    let swap = &impact.swap;
    let mut out = format!(
        "Accepted from {} by the champion, from {} by this card.\n\n",
        swap.champion_cutoff, swap.challenger_cutoff
    );
    let mut table = Table::new(&["<", "Parties", "Bads", "Bad rate"]);
    for (name, group) in [
        ("accepted by both", swap.both_accepted),
        ("come in", swap.swapped_in),
        ("drop out", swap.swapped_out),
        ("rejected by both", swap.both_rejected),
    ] {
        table.row(std::iter::once(name.to_owned()).chain(group_cells(group)));
    }
    out.push_str(&table.render());
    out
}

fn group_cells(group: Group) -> [String; 3] {
    [
        count(group.parties),
        or_unknown(group.bads.map(count)),
        or_unknown(group.bad_rate.map(percent)),
    ]
}

/// `parties (bads)` from the champion's bands, down, to the challenger's, across.
fn migration(impact: &Impact) -> String {
    let mut columns = vec!["<Champion's band".to_owned()];
    columns.extend(
        impact
            .challenger_bands
            .iter()
            .map(|name| format!("to {name}")),
    );
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for (i, (band, row)) in impact
        .champion_bands
        .iter()
        .zip(&impact.migration)
        .enumerate()
    {
        let bads = impact.migration_bads.get(i);
        let cells =
            row.iter()
                .enumerate()
                .map(|(j, parties)| match bads.and_then(|row| row.get(j)) {
                    Some(bads) if *parties > 0 => format!("{} ({})", count(*parties), count(*bads)),
                    _ => count(*parties),
                });
        table.row(std::iter::once(band.clone()).chain(cells));
    }
    let note = if impact.migration_bads.is_empty() {
        "Parties."
    } else {
        "Parties, bads among them in brackets."
    };
    format!("{note}\n\n{}", table.render())
}

/// One line per cut-off; the card's own is marked.
fn cutoffs(rows: &[CutoffRow]) -> String {
    let mut table = Table::new(&[
        "Cut-off",
        "Accepted",
        "Share",
        "Bad rate",
        "Rejected",
        "Bad rate",
        "Bads caught",
    ]);
    for row in rows {
        let mark = if row.own { "own " } else { "" };
        table.row([
            format!("{mark}{}", row.cutoff),
            count(row.accepted.parties),
            percent(row.accepted_share),
            or_unknown(row.accepted.bad_rate.map(percent)),
            count(row.rejected.parties),
            or_unknown(row.rejected.bad_rate.map(percent)),
            or_unknown(row.bads_caught.map(percent)),
        ]);
    }
    table.render()
}
