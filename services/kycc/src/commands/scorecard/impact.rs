//! What a version would change for whom.

use kycc_proto::scorecards::v1::{CutoffRow, GetImpactRequest, GetImpactResponse, SwapCell};
use kycc_rpc::ClientError;
use serde_json::{Value, json};

use crate::args::Global;
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

pub(super) async fn show(
    connection: &Connection,
    global: &Global,
    version: String,
) -> anyhow::Result<()> {
    let request = GetImpactRequest { version };
    let answer = connection.scorecards().get_impact(request).await;
    let impact = answer.map_err(ClientError::from)?.into_inner();
    if global.json {
        show_json::print(&as_json(&impact));
    } else {
        print(&impact);
    }
    Ok(())
}

fn print(impact: &GetImpactResponse) {
    outln!(
        "{} → {}, on {} parties of the holdout; PSI of the scores {:.3}",
        impact.champion_version,
        impact.challenger_version,
        text::count(impact.parties),
        impact.psi
    );
    outln!("\nfrom band to band");
    let mut table = Table::new(&["from", "to", "#parties", "#bad"]);
    for row in &impact.migration {
        for (index, to) in impact.challenger_bands.iter().enumerate() {
            let parties = row.parties.get(index).copied().unwrap_or(0);
            if parties > 0 {
                let bads = row.bads.get(index);
                table.row([
                    row.champion_band.clone(),
                    to.clone(),
                    text::count(parties),
                    known(bads.copied()),
                ]);
            }
        }
    }
    table.print("  nobody was judged");
    if let Some(swap) = &impact.swap_set {
        outln!("\nat the cut-offs");
        let mut table = Table::new(&["who", "#parties", "#bad"]);
        for (who, cell) in [
            ("accepted by both", &swap.both_accepted),
            ("come in", &swap.swapped_in),
            ("drop out", &swap.swapped_out),
            ("rejected by both", &swap.both_rejected),
        ] {
            let cell = cell.unwrap_or_default();
            table.row([who.to_owned(), text::count(cell.parties), known(cell.bads)]);
        }
        table.print("");
    }
    for (version, rows) in [
        (&impact.champion_version, &impact.champion_cutoffs),
        (&impact.challenger_version, &impact.challenger_cutoffs),
    ] {
        print_cutoffs(version, rows);
    }
}

fn print_cutoffs(version: &str, rows: &[CutoffRow]) {
    if rows.is_empty() {
        return;
    }
    outln!("\n{version}: who would be accepted from which score on");
    let mut table = Table::new(&["#cut-off", "#accepted", "#bad", "#rejected", "#bad"]);
    for row in rows {
        table.row([
            row.cutoff.to_string(),
            text::count(row.accepted),
            known(row.accepted_bads),
            text::count(row.rejected),
            known(row.rejected_bads),
        ]);
    }
    table.print("");
}

/// Bads are unknown where no outcome is observed.
fn known(bads: Option<u64>) -> String {
    bads.map_or_else(|| "-".into(), text::count)
}

fn as_json(impact: &GetImpactResponse) -> Value {
    let migration = impact.migration.iter().map(
        |row| json!({"champion_band": row.champion_band, "parties": row.parties, "bads": row.bads}),
    );
    let swap = impact.swap_set.as_ref().map(|swap| {
        json!({
            "both_accepted": cell(swap.both_accepted),
            "swapped_in": cell(swap.swapped_in),
            "swapped_out": cell(swap.swapped_out),
            "both_rejected": cell(swap.both_rejected),
        })
    });
    json!({
        "champion_version": impact.champion_version,
        "challenger_version": impact.challenger_version,
        "parties": impact.parties,
        "psi": impact.psi,
        "champion_bands": impact.champion_bands,
        "challenger_bands": impact.challenger_bands,
        "migration": migration.collect::<Vec<_>>(),
        "champion_cutoffs": cutoffs(&impact.champion_cutoffs),
        "challenger_cutoffs": cutoffs(&impact.challenger_cutoffs),
        "swap_set": swap,
    })
}

fn cell(of: Option<SwapCell>) -> Value {
    of.map_or(
        Value::Null,
        |cell| json!({"parties": cell.parties, "bads": cell.bads}),
    )
}

fn cutoffs(rows: &[CutoffRow]) -> Value {
    let row = |row: &CutoffRow| {
        json!({
            "cutoff": row.cutoff,
            "accepted": row.accepted, "accepted_bads": row.accepted_bads,
            "rejected": row.rejected, "rejected_bads": row.rejected_bads,
        })
    };
    rows.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bads_that_nobody_observed_are_not_shown_as_0() {
        assert_eq!(known(None), "-");
        assert_eq!(known(Some(0)), "0");
        let unknown = CutoffRow {
            cutoff: 500,
            accepted: 7,
            accepted_bads: None,
            rejected: 3,
            rejected_bads: None,
        };
        assert_eq!(
            cutoffs(&[unknown]),
            json!([{"cutoff": 500, "accepted": 7, "accepted_bads": null, "rejected": 3, "rejected_bads": null}])
        );
        let observed = SwapCell {
            parties: 7,
            bads: Some(0),
        };
        assert_eq!(cell(Some(observed)), json!({"parties": 7, "bads": 0}));
        let unknown = SwapCell {
            parties: 7,
            bads: None,
        };
        assert_eq!(cell(Some(unknown)), json!({"parties": 7, "bads": null}));
    }
}
