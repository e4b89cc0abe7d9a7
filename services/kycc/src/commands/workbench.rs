//! `kycc workbench …`: the scoring core on a file of one's own. It needs no fleet and makes no data folder.

mod show;
mod wish;

use anyhow::Context;
use kycc_workbench::{Cuts, Table, WorkbenchError, refuse_input, write_whole};
use serde::Serialize;

use crate::args::{
    BinArgs, CardArgs, CompareArgs, Global, MetricsArgs, ModelArgs, PageArgs, PsiArgs,
    WorkbenchCommand,
};
use crate::show::json as show_json;

pub(crate) fn run(global: &Global, command: WorkbenchCommand) -> anyhow::Result<()> {
    match command {
        WorkbenchCommand::Fit(args) => fit(global, &args),
        WorkbenchCommand::Metrics(args) => metrics(global, &args),
        WorkbenchCommand::Compare(args) => compare(global, &args),
        WorkbenchCommand::Psi(args) => psi(global, &args),
        WorkbenchCommand::Bin(args) => bin(global, &args),
        WorkbenchCommand::Card(args) => card(global, &args),
        WorkbenchCommand::Report(args) => page(global, &args),
    }
}

/// JSON for programs, the table that `show` prints for people.
fn answer<T: Serialize>(global: &Global, answer: &T, show: impl FnOnce(&T)) -> anyhow::Result<()> {
    if global.json {
        show_json::print(&serde_json::to_value(answer).context("the answer is no JSON")?);
    } else {
        show(answer);
    }
    Ok(())
}

fn model_table(args: &ModelArgs) -> Result<Table, WorkbenchError> {
    Table::read_with_ids(&args.data, args.read.delimiter, args.id.as_deref())
}

fn fit(global: &Global, args: &ModelArgs) -> anyhow::Result<()> {
    let table = model_table(args)?;
    let fitted = kycc_workbench::fit(&table, &wish::roles(args), &wish::fit(args))?;
    answer(global, &fitted.report, show::fit)
}

fn card(global: &Global, args: &CardArgs) -> anyhow::Result<()> {
    let scaling = wish::scaling(&args.scaling)?;
    if let Some(out) = &args.out {
        // Before the work, not after it.
        refuse_input(out, &[&args.model.data])?;
    }
    let table = model_table(&args.model)?;
    let fitted = kycc_workbench::fit(&table, &wish::roles(&args.model), &wish::fit(&args.model))?;
    let report = kycc_workbench::card(&fitted, scaling, args.out.as_deref())?;
    answer(global, &report, |report| {
        show::card(report);
        if let Some(out) = &args.out {
            outln!("the score of every row is in {}", out.display());
        }
    })
}

fn page(global: &Global, args: &PageArgs) -> anyhow::Result<()> {
    let scaling = wish::scaling(&args.scaling)?;
    refuse_input(&args.out, &[&args.model.data])?;
    let table = model_table(&args.model)?;
    let fitted = kycc_workbench::fit(&table, &wish::roles(&args.model), &wish::fit(&args.model))?;
    let card = kycc_workbench::card(&fitted, scaling, None)?;
    let page = kycc_workbench::page(&fitted, &card, &wish::binning(&args.model))?;
    write_whole(&args.out, page.as_bytes())?;
    answer(global, &card, |card| {
        show::measures(&card.fit.train, card.fit.holdout.as_ref());
        show::notices(&card.notices);
        outln!("the page is in {}", args.out.display());
    })
}

fn metrics(global: &Global, args: &MetricsArgs) -> anyhow::Result<()> {
    let table = Table::read(&args.scores, args.read.delimiter)?;
    let report = kycc_workbench::measure_scores(
        &table,
        &args.target,
        &args.score,
        args.higher_is_better,
        &wish::measures(&args.measure),
    )?;
    answer(global, &report, show::metrics)
}

fn compare(global: &Global, args: &CompareArgs) -> anyhow::Result<()> {
    let table = Table::read(&args.scores, args.read.delimiter)?;
    let comparison = kycc_workbench::compare_scores(
        &table,
        &args.target,
        &args.a,
        &args.b,
        args.higher_is_better,
    )?;
    answer(global, &comparison, show::comparison)
}

fn psi(global: &Global, args: &PsiArgs) -> anyhow::Result<()> {
    let expected = Table::read(&args.expected, args.read.delimiter)?;
    let actual = Table::read(&args.actual, args.read.delimiter)?;
    let report = kycc_workbench::stability(&expected, &actual, &args.column, args.bins)?;
    answer(global, &report, show::stability)
}

fn bin(global: &Global, args: &BinArgs) -> anyhow::Result<()> {
    let table = Table::read(&args.data, args.read.delimiter)?;
    let options = wish::bin_options(args.monotone, args.min_bin);
    let cuts = match (args.cuts.is_empty(), args.monotone) {
        (true, _) => Cuts::Optimal(options),
        (false, None) => Cuts::At(args.cuts.clone()),
        (false, Some(_)) => Cuts::Among(args.cuts.clone(), options),
    };
    let report = kycc_workbench::bin(
        &table,
        &args.target,
        &args.column,
        args.weight.clone(),
        &cuts,
    )?;
    answer(global, &report, show::bins)
}
