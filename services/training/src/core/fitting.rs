//! The fit as the config wants it.

use kycc_domain::card::Scorecard;
use kycc_domain::logistic::{
    CSearch, ClassWeights, DEFAULT_C_GRID, FitOptions, LogisticError, LogisticFit, Penalty, fit,
    search_c, shrinks_by_default,
};
use kycc_domain::matrix::Matrix;
use kycc_domain::standardise::Standardiser;

use super::config::{Config, Shrink};
use super::factors::declared_sign;
use super::rows::Sample;

#[derive(Debug, Clone)]
pub(super) struct Fitted {
    pub(super) fit: LogisticFit,
    pub(super) shrunk_to_expert: bool,
    /// How C was chosen, where that was asked for.
    pub(super) c_search: Option<CSearch>,
}

/// Fits `rows`, the matrix of `sample`. `folds` gives the fold of each row, for the search for C.
pub(super) fn fitted(
    card: &Scorecard,
    config: &Config,
    rows: Matrix<'_>,
    sample: &Sample,
    folds: impl FnOnce() -> Vec<usize>,
) -> Result<Fitted, LogisticError> {
    let weights = Some(&sample.weights[..]);
    let shrink = shrinks(config, rows, sample);
    let mut options = options(card, config, shrink);
    let mut c_search = None;
    if config.c_search {
        let found = search_c(
            rows,
            &sample.bad,
            weights,
            &folds(),
            &DEFAULT_C_GRID,
            &options,
        )?;
        options.c = found.c;
        c_search = Some(found);
    }
    Ok(Fitted {
        fit: fit(rows, &sample.bad, weights, &options)?,
        shrunk_to_expert: shrink,
        c_search,
    })
}

fn shrinks(config: &Config, rows: Matrix<'_>, sample: &Sample) -> bool {
    match config.shrink_to_expert {
        Shrink::Always => true,
        Shrink::Never => false,
        Shrink::Auto if config.penalty == Penalty::None => false,
        Shrink::Auto => {
            let usable = Standardiser::learn(rows, &sample.weights).usable_columns();
            shrinks_by_default(sample.bads(), usable)
        }
    }
}

fn options(card: &Scorecard, config: &Config, shrink: bool) -> FitOptions {
    FitOptions {
        penalty: config.penalty,
        c: config.c,
        signs: if config.sign_constraints {
            card.specs().map(declared_sign).collect()
        } else {
            Vec::new()
        },
        expert_weights: shrink.then(|| card.factors().iter().map(|factor| factor.weight).collect()),
        class_weights: if config.balanced {
            ClassWeights::Balanced
        } else {
            ClassWeights::Off
        },
    }
}
