//! From what was typed to what the library is asked for.

use kycc_workbench::{
    BinningOptions, FitWish, Impute, Inputs, MeasureOptions, Penalty, PointScaling, Roles, Signs,
    TypedTrend,
};

use crate::args::{
    ClassWeightArg, ImputeArg, MeasureArgs, ModelArgs, PenaltyArg, ScalingArg, ScalingArgs,
};

pub(super) fn roles(args: &ModelArgs) -> Roles {
    Roles {
        target: args.target.clone(),
        features: args.features.clone(),
        id: args.id.clone(),
        weight: args.weight.clone(),
        holdout: args.holdout.clone(),
    }
}

pub(super) fn fit(args: &ModelArgs) -> FitWish {
    let signs = match &args.sign {
        Some(signs) => signs.clone(),
        None if args.nonnegative => Signs::NonNegative,
        None => Signs::Free,
    };
    let inputs = match args.impute {
        _ if args.woe => Inputs::Woe(binning(args)),
        Some(ImputeArg::Mean) => Inputs::Imputed(Impute::Mean),
        Some(ImputeArg::Median) => Inputs::Imputed(Impute::Median),
        None => Inputs::Values,
    };
    FitWish {
        c: args.c,
        penalty: match args.penalty {
            PenaltyArg::L2 => Penalty::L2,
            PenaltyArg::None => Penalty::None,
        },
        balanced: args.class_weight == ClassWeightArg::Balanced,
        signs,
        inputs,
        measures: measures(&args.measure),
    }
}

pub(super) fn binning(args: &ModelArgs) -> BinningOptions {
    bin_options(Some(args.monotone), args.min_bin)
}

pub(super) fn bin_options(trend: Option<TypedTrend>, min_share: f64) -> BinningOptions {
    BinningOptions {
        trend: trend.map(|typed| typed.0).unwrap_or_default(),
        min_share,
        ..BinningOptions::default()
    }
}

pub(super) fn measures(args: &MeasureArgs) -> MeasureOptions {
    MeasureOptions {
        cutoff: args.cutoff,
        replicates: args.bootstrap,
        seed: args.seed,
    }
}

/// An option of the other scaling is an error, not ignored.
pub(super) fn scaling(args: &ScalingArgs) -> anyhow::Result<PointScaling> {
    match args.scaling {
        ScalingArg::Minmax => {
            anyhow::ensure!(
                args.pdo.is_none() && args.odds.is_none(),
                "--pdo and --odds belong to --scaling pdo"
            );
            Ok(PointScaling::MinMax {
                base: args.base.unwrap_or(300.0),
                max: args.max.unwrap_or(900.0),
            })
        }
        ScalingArg::Pdo => {
            anyhow::ensure!(args.max.is_none(), "--max belongs to --scaling minmax");
            Ok(PointScaling::Pdo {
                base: args.base.unwrap_or(600.0),
                odds: args.odds.unwrap_or(50.0),
                pdo: args.pdo.unwrap_or(20.0),
            })
        }
    }
}
