//! The kernels on arrays that `bench/science.py` wrote, one repeat per line of standard input, for the comparison with
//! Python on the same arrays. Usage: `science FOLDER KERNEL`; answers each line with one line of JSON.

#[path = "science/arrays.rs"]
mod arrays;
#[path = "science/scoring.rs"]
mod scoring;

use std::io::{BufRead, Write};
use std::time::Instant;

use anyhow::{Context, bail};
use arrays::Folder;
use kycc_domain::binning::{BinningOptions, bin_columns};
use kycc_domain::logistic::{FitOptions, fit};
use kycc_domain::matrix::Matrix;
use kycc_domain::metrics::{BOOTSTRAP_REPLICATES, Ranking, bootstrap};
use kycc_domain::psi::psi;
use serde_json::{Value, json};

/// One measured run of a kernel on arrays that it holds.
type Kernel = Box<dyn Fn() -> anyhow::Result<Value>>;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, name] = &arguments[..] else {
        bail!("usage: science FOLDER KERNEL");
    };
    let kernel = kernel(&Folder::new(folder), name)?;
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        line.context("standard input cannot be read")?;
        let started = Instant::now();
        let result = kernel()?;
        let seconds = started.elapsed().as_secs_f64();
        writeln!(out, "{}", json!({"seconds": seconds, "result": result}))?;
        out.flush()?;
    }
    Ok(())
}

fn kernel(folder: &Folder, name: &str) -> anyhow::Result<Kernel> {
    Ok(match name {
        "fit" => {
            let (values, bad) = (folder.floats("x")?, folder.flags("bad")?);
            let columns = values.len() / bad.len();
            Box::new(move || {
                let fitted = fit(
                    Matrix::new(&values, columns)?,
                    &bad,
                    None,
                    &FitOptions::default(),
                )?;
                Ok(json!({
                    "coefficients": fitted.coefficients,
                    "intercept": fitted.intercept,
                    "iterations": fitted.iterations,
                    "converged": fitted.converged,
                }))
            })
        }
        "auc" => {
            let (score, bad) = (folder.floats("score")?, folder.flags("bad")?);
            Box::new(move || Ok(json!(Ranking::new(&score, &bad)?.auc())))
        }
        "bootstrap" => {
            let (score, bad) = (folder.floats("score")?, folder.flags("bad")?);
            let rows = 100_000.min(score.len());
            Box::new(move || {
                let found = bootstrap(&score[..rows], &bad[..rows], BOOTSTRAP_REPLICATES, 1)?;
                Ok(serde_json::to_value(found)?)
            })
        }
        "psi" => {
            let (expected, actual) = (folder.floats("expected")?, folder.floats("actual")?);
            Box::new(move || Ok(json!(psi(&expected, &actual)?.value)))
        }
        "bin" => {
            let (columns, bad) = (folder.floats("to_bin")?, folder.flags("bad")?);
            let rows = 100_000.min(bad.len());
            Box::new(move || {
                let columns: Vec<&[f64]> = columns.chunks_exact(rows).collect();
                let binned = bin_columns(&columns, &bad[..rows], None, &BinningOptions::default());
                let binned = binned.into_iter().collect::<Result<Vec<_>, _>>()?;
                let values = binned.iter().map(|column| column.information_value);
                Ok(json!(values.collect::<Vec<f64>>()))
            })
        }
        "score" => scoring::score(folder)?,
        "explain" => scoring::explain(folder)?,
        _ => bail!("there is no kernel {name:?}"),
    })
}
