//! A run's config, in Dagster's shape `{"ops": {"<asset>": {"config": {…}}}, "resources": {"<name>": {"config": {…}}}}`:
//! laid over the job's default, filled with defaults, and checked before the run is accepted. Every mistake is reported
//! with the full path of the key that is wrong.

mod defaults;
mod paths;
mod resolve;
mod rules;
mod schema;

pub(crate) use resolve::{ConfigRequest, resolve};

/// One mistake in a config. `path` is dotted from the top, as in `ops.score_batch.config.cutoff`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigProblem {
    pub path: String,
    pub problem: String,
}

impl std::fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl ConfigProblem {
    fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
        }
    }
}
