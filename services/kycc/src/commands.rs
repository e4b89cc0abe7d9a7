//! One module per noun; each verb opens a connection, asks, and shows the answer.

mod asset;
mod audit;
mod batch;
mod config;
mod context;
mod dev;
mod feature;
mod job;
mod key;
mod label;
mod manual;
mod migrate;
mod model;
mod report;
mod run;
mod score;
mod scorecard;
mod serve;
mod workbench;

pub(crate) use serve::peer;

use std::process::ExitCode;

use crate::args::{Cli, Command};

/// Carries out one command line.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let global = &cli.global;
    match cli.command {
        Command::Dev(args) => dev::run(global, args).await,
        Command::Serve(args) => serve::run(global, args).await,
        Command::Health => serve::health(global).await,
        Command::Job(command) => job::run(global, command).await,
        Command::Run(command) => run::run(global, command).await,
        Command::Asset(command) => asset::run(global, command).await,
        Command::Batch(command) => batch::run(global, command).await,
        Command::Score(command) => done(score::run(global, command).await),
        Command::Feature(command) => done(feature::run(global, command).await),
        Command::Label(command) => label::run(global, command).await,
        Command::Model(command) => done(model::run(global, command).await),
        Command::Scorecard(command) => scorecard::run(global, command).await,
        Command::Audit(command) => audit::run(global, command).await,
        Command::Report(args) => done(report::run(global, args).await),
        Command::Workbench(command) => done(workbench::run(global, command)),
        Command::Reload => done(job::reload(global).await),
        Command::Migrate(args) => migrate::run(global, &args).await,
        Command::Context(command) => done(context::run(global, command)),
        Command::Completions { shell } => {
            manual::completions(shell);
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { folder } => done(manual::pages(&folder)),
        Command::Key(command) => done(key::run(global, command)),
        Command::Config(args) => done(config::run(global, &args)),
    }
}

fn done(outcome: anyhow::Result<()>) -> anyhow::Result<ExitCode> {
    outcome.map(|()| ExitCode::SUCCESS)
}
