//! What must hold between the parts of the definitions. Every problem is found, not only the first.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::types::{AssetDef, Definitions, Retention};
use crate::core::{UNLIMITED, suggest};

/// The names that there are; `None` where they do not matter.
pub(super) type Known<'a> = Option<&'a BTreeSet<&'static str>>;

pub(super) fn check(definitions: &Definitions, sources: Known<'_>) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(sources) = sources {
        sources_are_observed(definitions, sources, &mut problems);
    }
    unique_names(definitions, &mut problems);
    known_references(definitions, &mut problems);
    if let Some(cycle) = definitions.cycle() {
        problems.push(format!("assets depend on each other in a cycle: {cycle}"));
    } else {
        datasets_are_made(definitions, &mut problems);
    }
    schemas(definitions, &mut problems);
    limits(definitions, &mut problems);
    problems
}

fn unique_names(definitions: &Definitions, problems: &mut Vec<String>) {
    let mut repeated = |kind: &str, names: Vec<&str>| {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                problems.push(format!("{kind} {name} is defined twice"));
            }
        }
    };
    let assets = &definitions.assets;
    repeated("asset", assets.iter().map(|a| a.key.as_str()).collect());
    repeated(
        "job",
        definitions.jobs.iter().map(|j| j.name.as_str()).collect(),
    );
    repeated(
        "resource",
        definitions
            .resources
            .iter()
            .map(|r| r.name.as_str())
            .collect(),
    );
    repeated(
        "the output",
        assets
            .iter()
            .flat_map(|a| a.outputs.iter().map(|d| d.as_str()))
            .collect(),
    );
}

fn known_references(definitions: &Definitions, problems: &mut Vec<String>) {
    for asset in &definitions.assets {
        for dep in &asset.deps {
            if definitions.asset(dep.as_str()).is_none() {
                problems.push(format!(
                    "asset {} depends on {dep}, which is not defined",
                    asset.key
                ));
            }
        }
        if asset.lane.is_empty() {
            problems.push(format!("asset {} has no lane", asset.key));
        }
    }
    for job in &definitions.jobs {
        if job.assets.is_empty() {
            problems.push(format!("job {} selects no assets", job.name));
        }
        for key in &job.assets {
            if definitions.asset(key.as_str()).is_none() {
                problems.push(format!(
                    "job {} selects {key}, which is not defined",
                    job.name
                ));
            }
        }
    }
}

fn sources_are_observed(
    definitions: &Definitions,
    known: &BTreeSet<&'static str>,
    problems: &mut Vec<String>,
) {
    for asset in &definitions.assets {
        let unknown = |source: &&String| !known.contains(source.as_str());
        for source in asset.sources.iter().filter(unknown) {
            problems.push(format!(
                "asset {} reads the source {source}, which no service observes{}",
                asset.key,
                alternatives(source, known)
            ));
        }
    }
}

/// Lanes that no service of this program answers. Workers of other programs may, so they are worth a warning only.
pub(super) fn unanswered_lanes(
    definitions: &Definitions,
    known: &BTreeSet<&'static str>,
) -> Vec<String> {
    let unknown = |asset: &&AssetDef| !known.contains(asset.lane.as_str());
    let assets = definitions.assets.iter().filter(unknown);
    let warning = |asset: &AssetDef| {
        format!(
            "asset {} is for the lane {}, which no service of this program answers{}; its steps wait until some other \
             worker does",
            asset.key,
            asset.lane,
            alternatives(&asset.lane, known)
        )
    };
    assets.map(warning).collect()
}

fn alternatives(wrong: &str, known: &BTreeSet<&'static str>) -> String {
    let near = suggest(wrong, known.iter().copied());
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    let known: Vec<_> = known.iter().copied().collect();
    format!("{near} (there are {})", known.join(", "))
}

/// Inputs are made by the deps or by what these depend on: then they are there when the step starts.
fn datasets_are_made(definitions: &Definitions, problems: &mut Vec<String>) {
    let makers: HashMap<&str, &AssetDef> = definitions
        .assets
        .iter()
        .flat_map(|asset| asset.outputs.iter().map(move |d| (d.as_str(), asset)))
        .collect();
    for asset in &definitions.assets {
        let upstream = definitions.all_upstream(&asset.key);
        for dataset in asset.inputs.iter().chain(&asset.all_batches) {
            match makers.get(dataset.as_str()) {
                None => problems.push(format!(
                    "asset {} reads {dataset}, which no asset makes",
                    asset.key
                )),
                Some(maker) if !upstream.contains(&maker.key) => problems.push(format!(
                    "asset {} reads {dataset} of {}, on which it does not depend",
                    asset.key, maker.key
                )),
                Some(_) => {}
            }
        }
    }
}

fn schemas(definitions: &Definitions, problems: &mut Vec<String>) {
    let mut check = |place: String, schema: &Value| {
        if let Err(error) = jsonschema::validator_for(schema) {
            problems.push(format!("{place} is no JSON Schema: {error}"));
        }
    };
    for asset in &definitions.assets {
        check(format!("{}.config_schema", asset.key), &asset.config_schema);
    }
    for resource in &definitions.resources {
        check(
            format!("resource {}.config_schema", resource.name),
            &resource.config_schema,
        );
    }
    for asset in &definitions.assets {
        let files = asset.files.as_ref().map(|files| &files.config);
        for field in asset.partition_config.iter().chain(files) {
            if asset.config_schema["properties"].get(field).is_none() {
                problems.push(format!("asset {} has no config field {field}", asset.key));
            }
        }
        for dataset in asset.files.iter().flat_map(|files| &files.datasets) {
            if !asset.outputs.contains(dataset) {
                problems.push(format!(
                    "asset {} takes files of {dataset} but does not make it",
                    asset.key
                ));
            }
        }
    }
}

fn limits(definitions: &Definitions, problems: &mut Vec<String>) {
    let mut positive = |name: &str, value: u64| {
        if value == 0 {
            problems.push(format!("{name} must be at least 1"));
        }
    };
    let (queue, sharding) = (&definitions.run_queue, &definitions.sharding);
    positive("sharding.parties_per_shard", sharding.parties_per_shard);
    positive("sharding.max_shards", sharding.max_shards.into());
    positive(
        "retries.max_attempts",
        definitions.retries.max_attempts.into(),
    );
    positive(
        "run_monitoring.poll_interval_seconds",
        definitions.run_monitoring.poll_interval_seconds,
    );
    positive(
        "run_monitoring.max_deliveries",
        definitions.run_monitoring.max_deliveries.into(),
    );
    let own = definitions
        .assets
        .iter()
        .filter_map(|a| Some((a, a.retries?)));
    for (asset, retries) in own {
        positive(
            &format!("{}.retries.max_attempts", asset.key),
            retries.max_attempts.into(),
        );
    }
    let delays = definitions.assets.iter().filter_map(|a| a.retries);
    for retries in delays.chain([definitions.retries]) {
        if !(retries.delay_seconds >= 0.0 && retries.max_delay_seconds >= 0.0) {
            problems.push("retries: delays must be 0 or more seconds".to_owned());
        }
    }
    if queue.max_concurrent_runs < UNLIMITED {
        problems.push(
            "run_queue.max_concurrent_runs must be -1 (no limit), 0 (nothing starts) or more"
                .to_owned(),
        );
    }
    let Retention {
        events_days,
        runs_days,
    } = definitions.retention;
    if events_days > runs_days && runs_days > 0 {
        problems.push(format!(
            "retention.events_days is {events_days}, but runs go with their events after runs_days, {runs_days}"
        ));
    }
    if definitions.telemetry.enabled {
        problems.push("telemetry.enabled cannot be true: kycc never phones home".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::DEFAULT;
    use super::*;

    #[test]
    fn a_lane_that_no_service_answers_is_warned_of_with_its_asset() {
        let definitions = Definitions::from_yaml(DEFAULT).unwrap();
        let lanes: Vec<_> = definitions.assets.iter().map(|a| a.lane.clone()).collect();
        let known = lanes.iter().map(|lane| &*lane.clone().leak());
        let mut known: BTreeSet<&'static str> = known.collect();
        assert_eq!(unanswered_lanes(&definitions, &known), [""; 0]);
        known.remove("scoring");
        let warnings = unanswered_lanes(&definitions, &known);
        assert_eq!(warnings.len(), 1);
        let text = &warnings[0];
        assert!(text.starts_with("asset score_batch is for the lane scoring, "));
        assert!(text.contains("(there are feature-store, "), "{text}");
    }
}
