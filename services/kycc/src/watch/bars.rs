//! A line per step on a terminal, drawn in place.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kycc_proto::orchestrator::v1::{Run, RunEvent};
use kycc_proto::work::v1::LogLevel;

use crate::show::out::escaped;

/// The live display of one run.
pub(crate) struct Bars {
    all: MultiProgress,
    steps: BTreeMap<String, ProgressBar>,
}

impl Bars {
    pub(crate) fn new(run: &Run) -> Self {
        let all = MultiProgress::new();
        let steps = run
            .steps
            .iter()
            .map(|step| {
                let bar = all.add(ProgressBar::no_length());
                bar.set_style(style("{prefix:<27} {msg:.dim}"));
                bar.set_prefix(step.asset.clone());
                bar.set_message("waiting");
                (step.asset.clone(), bar)
            })
            .collect();
        Self { all, steps }
    }

    pub(crate) fn event(&mut self, event: &RunEvent) {
        if matches!(event.level(), LogLevel::Warning | LogLevel::Error) {
            // A terminal that went away is no reason to stop following.
            let _ = self.all.println(super::line(event));
        }
        let Some(bar) = self.steps.get(&event.asset) else {
            return;
        };
        let message = escaped(&event.message);
        match event.kind.as_str() {
            "STEP_START" => {
                bar.reset_elapsed();
                bar.set_style(style("{prefix:<27} {spinner} {msg} {elapsed:.dim}"));
                bar.set_message("running");
                bar.enable_steady_tick(Duration::from_millis(100));
            }
            "STEP_SUCCESS" => end(bar, "✓", &message),
            "STEP_FAILURE" => end(bar, "✗", &message),
            "STEP_SKIPPED" | "STEP_CANCELED" => end(bar, "-", &message),
            "LOG" => bar.set_message(message),
            _ => {}
        }
    }

    pub(crate) fn progress(&mut self, asset: &str, done: u64, total: u64) {
        let Some(bar) = self.steps.get(asset).filter(|bar| !bar.is_finished()) else {
            return;
        };
        if bar.length() != Some(total) {
            bar.set_style(style(
                "{prefix:<27} {spinner} {bar:24} {percent:>3} % {elapsed:.dim}",
            ));
            bar.set_length(total);
        }
        bar.set_position(done);
    }

    /// Leaves the lines as they stand.
    pub(crate) fn finish(self) {
        for bar in self.steps.values().filter(|bar| !bar.is_finished()) {
            bar.abandon();
        }
    }
}

fn end(bar: &ProgressBar, mark: &str, message: &str) {
    bar.set_style(style("{prefix:<27} {msg}"));
    bar.finish_with_message(format!("{mark} {message}"));
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("templates are constants of this file, and every one is drawn in its tests")
        .progress_chars("█▌░")
}

#[cfg(test)]
mod tests {
    use super::style;

    #[test]
    fn every_template_is_well_formed() {
        for template in [
            "{prefix:<27} {msg:.dim}",
            "{prefix:<27} {spinner} {msg} {elapsed:.dim}",
            "{prefix:<27} {spinner} {bar:24} {percent:>3} % {elapsed:.dim}",
            "{prefix:<27} {msg}",
        ] {
            style(template);
        }
    }
}
