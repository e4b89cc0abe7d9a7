//! `kycc workbench …`: what can be typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kycc_workbench::{Holdout, MAX_REPLICATES, Signs, TypedTrend};

#[derive(Debug, Subcommand)]
pub(crate) enum WorkbenchCommand {
    /// Fit a logistic regression: coefficients, standard errors, metrics on training and holdout rows.
    Fit(Box<ModelArgs>),
    /// Metrics of a score that the file already holds.
    Metrics(MetricsArgs),
    /// Compare the AUCs of two scores on the same rows (paired DeLong).
    Compare(CompareArgs),
    /// Population stability index of a column between two files.
    Psi(PsiArgs),
    /// Bin a column: weight of evidence, information value, optimal cuts.
    Bin(BinArgs),
    /// Fit, and write the model as points.
    Card(Box<CardArgs>),
    /// Fit, and write one page of HTML with curves, coefficients, card and bins.
    Report(Box<PageArgs>),
}

/// How a CSV file is read.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReadArgs {
    /// What separates the fields of a CSV file: one character or 'tab'. By default it is detected.
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub(crate) delimiter: Option<u8>,
}

/// How metrics are computed.
#[derive(Debug, Clone, Args)]
pub(crate) struct MeasureArgs {
    /// Call a row bad from this probability on.
    #[arg(long, default_value_t = 0.5, value_parser = share)]
    pub(crate) cutoff: f64,
    /// Replicates behind the bootstrap intervals, up to 100,000; 0 leaves those out.
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = replicates)]
    pub(crate) bootstrap: usize,
    /// Seed of the bootstrap.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ModelArgs {
    /// A CSV or Parquet file.
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,
    /// The column of outcomes: 1, true or bad; 0, false or good.
    #[arg(long)]
    pub(crate) target: String,
    /// The features, separated by commas; by default every column of numbers that plays no other part.
    #[arg(long, value_delimiter = ',', value_name = "COLUMN,…")]
    pub(crate) features: Vec<String>,
    /// The column that names rows; it is no feature.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id: Option<String>,
    /// The column of row weights, 0 or more.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) weight: Option<String>,
    /// Which rows are held out: a column that is 1 there, or a rule on the row's index (from 0) such as i%5==4.
    #[arg(long, value_name = "COLUMN|i%N==K")]
    pub(crate) holdout: Option<Holdout>,
    /// Inverse strength of the L2 penalty on standardised coefficients.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) c: f64,
    #[arg(long, value_enum, default_value_t = PenaltyArg::L2)]
    pub(crate) penalty: PenaltyArg,
    #[arg(long, value_enum, default_value_t = ClassWeightArg::None)]
    pub(crate) class_weight: ClassWeightArg,
    /// Signs that coefficients of bad may have, such as age:-,debt:+; '*:-' binds every feature.
    #[arg(long, value_name = "NAME:+|-,…", conflicts_with = "nonnegative")]
    pub(crate) sign: Option<Signs>,
    /// No coefficient below 0.
    #[arg(long)]
    pub(crate) nonnegative: bool,
    /// Fit on weights of evidence: every feature is binned, missing values have a bin of their own.
    #[arg(long)]
    pub(crate) woe: bool,
    /// Trend of the bad rate over the bins of every feature.
    #[arg(long, value_name = "TREND", default_value = "auto")]
    pub(crate) monotone: TypedTrend,
    /// Least share of the rows in a bin.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    pub(crate) min_bin: f64,
    /// What stands in for missing values; it is learned on the training rows.
    #[arg(long, value_enum, value_name = "HOW", conflicts_with = "woe")]
    pub(crate) impute: Option<ImputeArg>,
    #[command(flatten)]
    pub(crate) measure: MeasureArgs,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PenaltyArg {
    L2,
    /// Plain maximum likelihood.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClassWeightArg {
    None,
    /// Each class weighs half in the fit; the intercept is put right afterwards.
    Balanced,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImputeArg {
    Mean,
    Median,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScalingArg {
    /// From --base for the worst row to --max for the best.
    Minmax,
    /// --base points at --odds good to one bad, --pdo more each time the odds double.
    Pdo,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ScalingArgs {
    #[arg(long, value_enum, default_value_t = ScalingArg::Minmax)]
    pub(crate) scaling: ScalingArg,
    /// Points that double the odds [default: 20].
    #[arg(long)]
    pub(crate) pdo: Option<f64>,
    /// Goods per bad at --base [default: 50].
    #[arg(long)]
    pub(crate) odds: Option<f64>,
    /// Score that the scaling starts from [default: 300 for minmax, 600 for pdo].
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) base: Option<f64>,
    /// Greatest score of minmax [default: 900].
    #[arg(long)]
    pub(crate) max: Option<f64>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CardArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) scaling: ScalingArgs,
    /// Write the score of every row to this CSV file.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PageArgs {
    #[command(flatten)]
    pub(crate) model: ModelArgs,
    #[command(flatten)]
    pub(crate) scaling: ScalingArgs,
    /// The page.
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct MetricsArgs {
    /// A CSV or Parquet file.
    #[arg(value_name = "SCORES")]
    pub(crate) scores: PathBuf,
    /// The column of outcomes: 1, true or bad; 0, false or good.
    #[arg(long)]
    pub(crate) target: String,
    /// The column of scores or probabilities of bad.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) score: String,
    /// Higher scores are better, as points are.
    #[arg(long)]
    pub(crate) higher_is_better: bool,
    #[command(flatten)]
    pub(crate) measure: MeasureArgs,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CompareArgs {
    /// A CSV or Parquet file.
    #[arg(value_name = "SCORES")]
    pub(crate) scores: PathBuf,
    /// The column of outcomes: 1, true or bad; 0, false or good.
    #[arg(long)]
    pub(crate) target: String,
    /// The column of one score.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) a: String,
    /// The column of the other; the difference is b minus a.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) b: String,
    /// Higher scores are better, as points are.
    #[arg(long)]
    pub(crate) higher_is_better: bool,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PsiArgs {
    /// The file to measure against, CSV or Parquet.
    #[arg(value_name = "EXPECTED")]
    pub(crate) expected: PathBuf,
    /// The file to measure.
    #[arg(value_name = "ACTUAL")]
    pub(crate) actual: PathBuf,
    #[arg(long)]
    pub(crate) column: String,
    /// Quantiles of the expected file.
    #[arg(long, default_value_t = 10)]
    pub(crate) bins: usize,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct BinArgs {
    /// A CSV or Parquet file.
    #[arg(value_name = "DATA")]
    pub(crate) data: PathBuf,
    /// The column of outcomes: 1, true or bad; 0, false or good.
    #[arg(long)]
    pub(crate) target: String,
    /// The column to bin.
    #[arg(long)]
    pub(crate) column: String,
    /// The column of row weights, 0 or more.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) weight: Option<String>,
    /// Cut here, rising. With --monotone only the best of these cuts are used.
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "CUT,…",
        allow_hyphen_values = true
    )]
    pub(crate) cuts: Vec<f64>,
    /// Trend of the bad rate: asc, desc, auto, none, peak, valley [default: auto].
    #[arg(long, value_name = "TREND")]
    pub(crate) monotone: Option<TypedTrend>,
    /// Least share of the rows in a bin.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    pub(crate) min_bin: f64,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err("write one character, or tab".into()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("write a number from 0 to 1".into()),
    }
}

fn replicates(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(1) | Err(_) => Err(format!("write a whole number: 0, or 2 to {MAX_REPLICATES}")),
        Ok(more) if more > MAX_REPLICATES => Err(format!(
            "{MAX_REPLICATES} replicates are the most; more move no digit that is shown"
        )),
        Ok(replicates) => Ok(replicates),
    }
}
