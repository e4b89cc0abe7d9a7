//! How far a batch has moved, line by line.

use kycc_proto::scoring::v1::{BandShare, DriftCell, DriftLine, GetDriftRequest, GetDriftResponse};
use kycc_rpc::ClientError;
use kycc_workbench::cut_names;
use serde_json::{Value, json};

use crate::args::Global;
use crate::connection::Connection;
use crate::show::{Table, chart, json as show_json, text};

/// An index that fills the bar: the one from which a line fails.
const FULL: f64 = 0.25;

const SCORE_LINE: &str = "score";
/// The line of the bands after the decision rules; its cells are those of the bands, without edges.
const BAND_LINE: &str = "final_band";

pub(super) async fn show(
    connection: &Connection,
    global: &Global,
    batch: Option<String>,
    against: Option<String>,
) -> anyhow::Result<()> {
    let request = GetDriftRequest {
        batch_id: batch.unwrap_or_default(),
        base_batch_id: against.unwrap_or_default(),
    };
    let answer = connection.scoring().get_drift(request).await;
    let found = answer.map_err(ClientError::from)?.into_inner();
    if global.json {
        show_json::print(&as_json(&found));
    } else {
        print(&found);
    }
    Ok(())
}

fn print(found: &GetDriftResponse) {
    let base = if found.base_batch_id.is_empty() {
        format!(
            "the {} parties that card {} was trained on",
            text::count(found.base_parties),
            found.scorecard_version
        )
    } else {
        format!(
            "the {} parties of {}",
            text::count(found.base_parties),
            found.base_batch_id
        )
    };
    outln!(
        "{}: {} parties scored by card {}, against {base}, by {}: {}",
        found.batch_id,
        text::count(found.parties),
        found.scorecard_version,
        compared(&found.lines),
        verdict(found),
    );
    outln!("");
    let mut table = Table::new(&[
        "line",
        "#index",
        "",
        "#by chance",
        "",
        "most moved",
        "#was",
        "#is",
    ]);
    for line in &found.lines {
        let place = most_moved(line).filter(|_| line.status != "pass");
        let cell = place.and_then(|place| line.cells.get(place));
        let share = |of: fn(&DriftCell) -> f64| cell.map(of).map(percent).unwrap_or_default();
        table.row([
            line.name.clone(),
            format!("{:.3}", line.index),
            chart::bar(line.index / FULL, 8),
            format!("{:.3}", line.no_shift_bound),
            match line.status.as_str() {
                "pass" => String::new(),
                status => status.to_owned(),
            },
            place
                .map(|place| where_is(line, place, &found.bands))
                .unwrap_or_default(),
            share(|cell| cell.base_share),
            share(|cell| cell.share),
        ]);
    }
    table.print("");
    print_missing(&found.lines);
    outln!("");
    let mut table = Table::new(&["band", "#was", "#is", "#change"]);
    for band in &found.bands {
        table.row([
            band.band.clone(),
            percent(band.base_share),
            percent(band.share),
            format!("{:+.1}", 100.0 * (band.share - band.base_share)),
        ]);
    }
    table.print("");
    outln!(
        "\nThe index (PSI of the score and of the final bands, CSI of a feature) warns from 0.10 and fails from 0.25, each only beyond what chance \
         explains 19 times in 20."
    );
}

/// `raw score, 17 features and final bands`.
fn compared(lines: &[DriftLine]) -> String {
    let has = |name: &str| lines.iter().any(|line| line.name == name);
    let features = lines
        .iter()
        .filter(|line| line.name != SCORE_LINE && line.name != BAND_LINE);
    let features = match features.count() {
        1 => "1 feature".to_owned(),
        count => format!("{count} features"),
    };
    if has(BAND_LINE) {
        format!("raw score, {features} and final bands")
    } else {
        format!("raw score and {features}")
    }
}

fn verdict(found: &GetDriftResponse) -> &str {
    let mut moved = found.lines.iter().filter(|line| line.status != "pass");
    let bands_alone = moved.all(|line| line.name == BAND_LINE);
    match found.status.as_str() {
        "pass" => "nothing has moved",
        "warn" | "fail" if bands_alone => "the final bands have moved, the population has not",
        "warn" => "some of it is shifting",
        "fail" => "it is another population",
        other => other,
    }
}

fn print_missing(lines: &[DriftLine]) {
    for line in lines
        .iter()
        .filter(|line| line.base_missing_rate > 0.0 || line.missing_rate > 0.0)
    {
        outln!(
            "  {} is missing for {} of the parties, was for {}",
            line.name,
            percent(line.missing_rate),
            percent(line.base_missing_rate)
        );
    }
}

/// The place of the first of those whose share changed the most.
fn most_moved(line: &DriftLine) -> Option<usize> {
    let change = |place: usize| {
        let cell = &line.cells[place];
        (cell.share - cell.base_share).abs()
    };
    (0..line.cells.len()).reduce(|best, place| {
        if change(place) > change(best) {
            place
        } else {
            best
        }
    })
}

fn where_is(line: &DriftLine, place: usize, bands: &[BandShare]) -> String {
    if line.name == BAND_LINE {
        return bands
            .get(place)
            .map(|band| band.band.clone())
            .unwrap_or_default();
    }
    line.cells.get(place).map(values).unwrap_or_default()
}

fn values(cell: &DriftCell) -> String {
    // As many digits as tell the bounds apart, which may be shares far below 0.01.
    let bounds: Vec<f64> = [cell.low, cell.high].into_iter().flatten().collect();
    let names = cut_names(&bounds);
    match (cell.low, &names[..]) {
        (_, [low, high]) => format!("> {low} to {high}"),
        (Some(_), [low]) => format!("> {low}"),
        (None, [high]) => format!("≤ {high}"),
        _ => "all".into(),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn as_json(found: &GetDriftResponse) -> Value {
    let band = |band: &BandShare| json!({"band": band.band, "base_share": band.base_share, "share": band.share});
    json!({
        "batch_id": found.batch_id,
        "base_batch_id": found.base_batch_id,
        "scorecard_version": found.scorecard_version,
        "base_parties": found.base_parties,
        "parties": found.parties,
        "status": found.status,
        "lines": found.lines.iter().map(line_json).collect::<Vec<_>>(),
        "bands": found.bands.iter().map(band).collect::<Vec<_>>(),
    })
}

fn line_json(line: &DriftLine) -> Value {
    let cells = line.cells.iter().map(|cell| {
        json!({
            "low": cell.low, "high": cell.high, "base_share": cell.base_share, "share": cell.share,
        })
    });
    json!({
        "name": line.name,
        "index": line.index,
        "no_shift_bound": line.no_shift_bound,
        "status": line.status,
        "base_missing_rate": line.base_missing_rate,
        "missing_rate": line.missing_rate,
        "cells": cells.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_moved_cell_is_shown_by_its_values() {
        let cell = |low, high, share| DriftCell {
            low,
            high,
            base_share: 0.5,
            share,
        };
        let line = DriftLine {
            cells: vec![cell(None, Some(1.25), 0.25), cell(Some(1.25), None, 0.75)],
            ..DriftLine::default()
        };
        let place = most_moved(&line).unwrap();
        assert_eq!(where_is(&line, place, &[]), "≤ 1.25");
        assert_eq!(values(&line.cells[1]), "> 1.25");
        assert_eq!(values(&cell(None, None, 0.0)), "all");
        for (low, high, text) in [
            (1.0, 3.0, "> 1 to 3"),
            (0.0, 0.0013, "> 0 to 0.0013"),
            (0.000_2, 0.000_4, "> 0.0002 to 0.0004"),
            (1.0 / 3.0, 2.0 / 3.0, "> 0.33333 to 0.66667"),
        ] {
            assert_eq!(values(&cell(Some(low), Some(high), 0.0)), text);
        }
    }

    #[test]
    fn the_most_moved_cell_of_the_final_bands_is_shown_by_its_band() {
        let cell = |base_share, share| DriftCell {
            base_share,
            share,
            ..DriftCell::default()
        };
        let line = DriftLine {
            name: BAND_LINE.into(),
            cells: vec![cell(0.1, 0.0), cell(0.9, 0.2), cell(0.0, 0.8)],
            ..DriftLine::default()
        };
        let bands = ["good", "fair", "refer"].map(|band| BandShare {
            band: band.into(),
            ..BandShare::default()
        });
        let place = most_moved(&line).unwrap();
        assert_eq!(where_is(&line, place, &bands), "refer");
        assert_eq!(
            compared(&[DriftLine::default(), line]),
            "raw score, 1 feature and final bands"
        );
    }

    #[test]
    fn bands_that_moved_alone_are_not_called_another_population() {
        let line = |name: &str, status: &str| DriftLine {
            name: name.into(),
            status: status.into(),
            ..DriftLine::default()
        };
        let found = |score: &str| GetDriftResponse {
            status: "fail".into(),
            lines: vec![line(SCORE_LINE, score), line(BAND_LINE, "fail")],
            ..GetDriftResponse::default()
        };
        assert_eq!(
            verdict(&found("pass")),
            "the final bands have moved, the population has not"
        );
        assert_eq!(verdict(&found("warn")), "it is another population");
    }
}
