//! What must hold between the parts of the definitions. Every problem is found, not only the first.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::types::{AssetDef, Definitions};

pub(super) fn check(definitions: &Definitions) -> Vec<String> {
    let mut problems = Vec::new();
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
        if asset.outputs.is_empty() {
            problems.push(format!("asset {} has no outputs", asset.key));
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
    positive(
        "run_queue.max_concurrent_runs",
        queue.max_concurrent_runs.into(),
    );
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
    if definitions.telemetry.enabled {
        problems.push("telemetry.enabled cannot be true: kycc never phones home".to_owned());
    }
}
