//! `GetDrift`: how far a scored batch has moved from another, or from the population that its card was trained on.

use std::sync::atomic::{AtomicBool, Ordering};

use kycc_domain::bands::Bands;
use kycc_domain::drift::{self as core, DriftError, DriftReport, PopulationBaseline};
use kycc_domain::psi::Shift;
use kycc_proto::scoring::v1::{BandShare, DriftCell, DriftLine, GetDriftRequest, GetDriftResponse};
use kycc_rpc::ApiError;
use tonic::Status;

use super::off_thread::off_thread;
use super::published::{BatchScores, PublishedScores};
use crate::core::population::countable;

pub(super) async fn drift(
    published: &PublishedScores,
    request: GetDriftRequest,
) -> Result<GetDriftResponse, Status> {
    let scores = published.current(&request.batch_id).await?;
    let card = &scores.card;
    let baseline = if request.base_batch_id.is_empty() {
        let kept = card.content().training_population.clone();
        kept.ok_or_else(|| {
            ApiError::precondition(
                "NO_TRAINING_POPULATION",
                format!(
                    "card {} keeps no training population to compare with; a refined card does, or name a scored batch \
                     to compare with",
                    card.version()
                ),
            )
        })?
    } else {
        // One batch in memory at a time.
        let base = published.current(&request.base_batch_id).await?;
        let bands = base.card.bands().clone();
        counted(published, &base, bands, |population| {
            PopulationBaseline::of(population)
        })
        .await?
    };
    let bands = card.bands().clone();
    let report = counted(published, &scores, bands, move |population| {
        core::drift(&baseline, population)
    })
    .await?;
    Ok(GetDriftResponse {
        batch_id: scores.batch.clone(),
        base_batch_id: request.base_batch_id,
        scorecard_version: card.version().to_owned(),
        ..answer(&report)
    })
}

/// Reads a batch as it was scored, and counts it off the threads that serve.
async fn counted<T: Send + 'static>(
    published: &PublishedScores,
    scores: &BatchScores,
    bands: Bands,
    count: impl FnOnce(&core::ScoredPopulation<'_>) -> Result<T, DriftError> + Send + 'static,
) -> Result<T, Status> {
    let features = published.feature_rows(scores).await?;
    let scored = published.scored_rows(&scores.version).await?;
    let batch = scores.batch.clone();
    off_thread(move |left: &AtomicBool| {
        let of_party: Vec<_> = scored
            .final_scores()
            .iter()
            .map(|&score| bands.index_of(score))
            .collect();
        let columns = features.columns()?;
        if left.load(Ordering::Relaxed) {
            return Err(Status::cancelled("the caller has left"));
        }
        count(&countable(&columns, scored.raw(), &of_party, &bands)).map_err(|error| {
            let message = format!("batch {batch} cannot be compared: {error}");
            ApiError::precondition(error.reason(), message).into()
        })
    })
    .await
}

fn answer(report: &DriftReport) -> GetDriftResponse {
    let bands = report.bands.iter().map(|band| BandShare {
        band: band.band.clone(),
        base_share: band.baseline,
        share: band.share,
    });
    GetDriftResponse {
        base_parties: report.baseline_rows,
        parties: report.rows,
        status: status(report.status),
        lines: report.lines().map(line).collect(),
        bands: bands.collect(),
        ..GetDriftResponse::default()
    }
}

fn line(line: &core::DriftLine) -> DriftLine {
    // One cell per bin; what follows them is the missing, which have rates of their own. A cell of the final bands is that of
    // the band at its place among the bands.
    let bins = if line.name == core::BAND_LINE {
        line.expected.len()
    } else {
        line.edges.len() + 1
    };
    let cells = (0..bins).map(|cell| DriftCell {
        low: cell
            .checked_sub(1)
            .and_then(|below| line.edges.get(below).copied()),
        high: line.edges.get(cell).copied(),
        base_share: line.expected[cell],
        share: line.actual[cell],
    });
    DriftLine {
        name: line.name.clone(),
        index: line.index,
        no_shift_bound: line.no_shift_bound,
        status: status(line.status),
        base_missing_rate: line.baseline_missing_rate,
        missing_rate: line.missing_rate,
        cells: cells.collect(),
    }
}

fn status(shift: Shift) -> String {
    match shift {
        Shift::Pass => "pass",
        Shift::Warn => "warn",
        Shift::Fail => "fail",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core_line(name: &str, edges: &[f64]) -> core::DriftLine {
        core::DriftLine {
            name: name.into(),
            index: 1.0,
            no_shift_bound: 0.1,
            status: Shift::Fail,
            edges: edges.to_vec(),
            expected: vec![0.25, 0.25, 0.5],
            actual: vec![0.0, 0.0, 1.0],
            baseline_missing_rate: 0.0,
            missing_rate: 0.0,
        }
    }

    #[test]
    fn final_bands_have_a_cell_for_each_band_and_no_edges_and_the_missing_have_none() {
        let bands = line(&core_line(core::BAND_LINE, &[]));
        let shares: Vec<f64> = bands.cells.iter().map(|cell| cell.share).collect();
        assert_eq!(
            (bands.name.as_str(), shares),
            ("final_band", vec![0.0, 0.0, 1.0])
        );
        assert!(
            bands
                .cells
                .iter()
                .all(|cell| (cell.low, cell.high) == (None, None))
        );

        let score = line(&core_line("score", &[7.0]));
        let edges: Vec<_> = score
            .cells
            .iter()
            .map(|cell| (cell.low, cell.high))
            .collect();
        assert_eq!(edges, [(None, Some(7.0)), (Some(7.0), None)]);
    }
}
