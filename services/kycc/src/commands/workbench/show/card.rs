//! A card: what each feature or bin awards, how scores are spread, how good the model behind it is.

use kycc_workbench::{Card, CardReport, WoeCard, bin_points, fixed, named_bins, significant};

use super::{measures, notices, optional};
use crate::show::{Table, text};

pub(in super::super) fn card(report: &CardReport) {
    match &report.card {
        Card::Linear(card) => {
            outln!("base points {}", fixed(card.base_points, 2));
            let mut table = Table::new(&[
                "feature",
                "#0 points at",
                "#most at",
                "#most points",
                "#per unit",
            ]);
            for factor in &card.factors {
                table.row([
                    factor.feature.clone(),
                    significant(factor.worst),
                    significant(factor.best),
                    fixed(factor.max_points, 2),
                    significant(factor.points_per_unit),
                ]);
            }
            table.print("");
        }
        Card::Woe(card) => woe_card(card),
    }
    outln!(
        "PD = 1/(1 + exp((score - {})/{}))",
        fixed(report.link.offset, 6),
        fixed(report.link.factor, 6)
    );
    let scores = &report.scores;
    outln!(
        "scores from {} to {}, mean {}, by tenths of all rows:",
        fixed(scores.min, 1),
        fixed(scores.max, 1),
        fixed(scores.mean, 1)
    );
    let mut table = Table::new(&["#above", "#up to", "#rows", "#bad", "#bad rate", "#mean PD"]);
    for band in &scores.bands {
        table.row([
            optional(band.low, 1),
            optional(band.high, 1),
            text::count(band.rows as u64),
            text::count(band.bads as u64),
            optional(band.bad_rate, 4),
            optional(band.mean_pd, 4),
        ]);
    }
    table.print("");
    measures(&report.fit.train, report.fit.holdout.as_ref());
    notices(&report.notices);
}

fn woe_card(card: &WoeCard) {
    outln!("base points {}", fixed(card.base_points, 2));
    let mut table = Table::new(&["feature", "bin", "#rows", "#bad rate", "#WoE", "#points"]);
    for factor in &card.factors {
        let points = bin_points(factor);
        for (index, (name, bin)) in named_bins(&factor.binning).into_iter().enumerate() {
            table.row([
                if index == 0 {
                    factor.name.clone()
                } else {
                    String::new()
                },
                name,
                text::count(bin.rows),
                fixed(bin.bad_rate, 4),
                fixed(bin.woe, 4),
                fixed(points[index], 2),
            ]);
        }
    }
    table.print("");
}
