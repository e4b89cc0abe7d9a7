//! From what was asked for to the complete config of a run, or to the list of everything that is wrong with it.

use std::collections::BTreeMap;

use kycc_domain::ids::{AssetKey, BatchId};
use serde_json::{Map, Value, json};

use super::ConfigProblem;
use super::defaults::{fill, merge};
use super::rules;
use super::schema::{check, unknown};
use crate::definitions::{AssetDef, Definitions};

#[derive(Debug)]
pub(crate) struct ConfigRequest<'a> {
    pub definitions: &'a Definitions,
    /// How errors name the selection, e.g. `job scoring_job`.
    pub selected_by: &'a str,
    pub assets: &'a [AssetKey],
    pub job_default: Option<&'a Value>,
    pub given: &'a Value,
    /// Empty: from the config.
    pub batch: &'a str,
    /// Dataset name to URI.
    pub inputs: &'a BTreeMap<String, String>,
}

/// Complete: every selected asset and every resource is there, with its defaults.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunConfig {
    pub document: Value,
    pub batch: BatchId,
}

pub(crate) fn resolve(request: &ConfigRequest<'_>) -> Result<RunConfig, Vec<ConfigProblem>> {
    let mut problems = structure(request);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut laid = request.job_default.cloned().unwrap_or_else(|| json!({}));
    merge(&mut laid, request.given);
    let selected: Vec<&AssetDef> = request
        .assets
        .iter()
        .filter_map(|key| request.definitions.asset(key.as_str()))
        .collect();
    let mut configs: Vec<(&AssetDef, Map<String, Value>)> = selected
        .into_iter()
        .map(|asset| (asset, config_of(&laid["ops"][asset.key.as_str()])))
        .collect();
    let batch = batch(request, &configs, &mut problems);
    let mut ops = Map::new();
    for (asset, config) in &mut configs {
        if let (Some(field), Some(batch)) = (&asset.partition_config, &batch) {
            config.insert(field.clone(), batch.as_str().into());
        }
        insert_files(asset, config, request.inputs);
        fill(config, &asset.config_schema);
        let config = Value::Object(std::mem::take(config));
        let base = format!("ops.{}.config", asset.key);
        let mut found = check(&base, &config, &asset.config_schema);
        if found.is_empty() {
            found = rules::check(&base, &config, &asset.config_schema);
        }
        problems.extend(found);
        ops.insert(asset.key.to_string(), json!({"config": config}));
    }
    let resources = resources(request.definitions, &laid["resources"], &mut problems);
    match batch {
        Some(batch) if problems.is_empty() => Ok(RunConfig {
            document: json!({"ops": ops, "resources": resources}),
            batch,
        }),
        _ => Err(problems),
    }
}

fn config_of(entry: &Value) -> Map<String, Value> {
    entry["config"].as_object().cloned().unwrap_or_default()
}

/// The keys around the configs: `ops`, `resources`, names of assets and resources, `config`.
fn structure(request: &ConfigRequest<'_>) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    let Some(top) = request.given.as_object() else {
        return vec![ConfigProblem::new(
            "run_config",
            "must be a JSON object such as {\"ops\": {\"<asset>\": {\"config\": {}}}}",
        )];
    };
    for (key, section) in top {
        let Some(entries) = section.as_object() else {
            problems.push(ConfigProblem::new(key, "must be an object"));
            continue;
        };
        let known: Vec<&str> = match key.as_str() {
            "ops" => request.assets.iter().map(AssetKey::as_str).collect(),
            "resources" => resource_names(request.definitions),
            _ => {
                problems.push(ConfigProblem::new(
                    key,
                    "unknown key; known are ops, resources",
                ));
                continue;
            }
        };
        for (name, entry) in entries {
            let path = format!("{key}.{name}");
            if known.contains(&name.as_str()) {
                entry_structure(&path, entry, &mut problems);
            } else if key == "ops" && request.definitions.asset(name).is_some() {
                let problem = format!(
                    "is not in {}, which selects {}",
                    request.selected_by,
                    known.join(", ")
                );
                problems.push(ConfigProblem::new(path, problem));
            } else {
                problems.push(unknown(key, name, known.iter().copied()));
            }
        }
    }
    problems
}

fn entry_structure(path: &str, entry: &Value, problems: &mut Vec<ConfigProblem>) {
    let Some(entry) = entry.as_object() else {
        return problems.push(ConfigProblem::new(
            path,
            "must be an object with the key config",
        ));
    };
    for (key, value) in entry {
        if key != "config" {
            problems.push(unknown(path, key, ["config"]));
        } else if !value.is_object() {
            problems.push(ConfigProblem::new(
                format!("{path}.config"),
                "must be an object",
            ));
        }
    }
}

/// The run's partition and the field of the config that names it fill each other in.
fn batch(
    request: &ConfigRequest<'_>,
    configs: &[(&AssetDef, Map<String, Value>)],
    problems: &mut Vec<ConfigProblem>,
) -> Option<BatchId> {
    let mut found =
        (!request.batch.is_empty()).then(|| ("batch_id".to_owned(), request.batch.to_owned()));
    for (asset, config) in configs {
        let Some(field) = &asset.partition_config else {
            continue;
        };
        let path = format!("ops.{}.config.{field}", asset.key);
        match (config.get(field), &found) {
            (Some(Value::String(given)), Some((place, batch))) if given != batch => {
                let problem = format!("is {given:?}, but {place} of this run is {batch:?}");
                problems.push(ConfigProblem::new(path, problem));
            }
            (Some(Value::String(given)), None) => found = Some((path, given.clone())),
            (Some(Value::String(_)) | None, _) => {}
            (Some(_), _) => problems.push(ConfigProblem::new(path, "must be a string")),
        }
    }
    let Some((place, batch)) = found else {
        let place = configs
            .iter()
            .find_map(|(asset, _)| {
                let field = asset.partition_config.as_ref()?;
                Some(format!("ops.{}.config.{field}", asset.key))
            })
            .unwrap_or_else(|| "batch_id".to_owned());
        problems.push(ConfigProblem::new(
            place,
            "is required: which batch is the run for?",
        ));
        return None;
    };
    BatchId::new(batch)
        .map_err(|error| problems.push(ConfigProblem::new(place, error.to_string())))
        .ok()
}

fn insert_files(
    asset: &AssetDef,
    config: &mut Map<String, Value>,
    inputs: &BTreeMap<String, String>,
) {
    let Some(files) = &asset.files else { return };
    for dataset in &files.datasets {
        if let Some(uri) = inputs.get(dataset.as_str()) {
            let given = config
                .entry(files.config.clone())
                .or_insert_with(|| json!({}));
            given[dataset.as_str()] = uri.as_str().into();
        }
    }
}

fn resources(
    definitions: &Definitions,
    given: &Value,
    problems: &mut Vec<ConfigProblem>,
) -> Map<String, Value> {
    let mut resources = Map::new();
    for resource in &definitions.resources {
        let mut config = config_of(&given[resource.name.as_str()]);
        fill(&mut config, &resource.config_schema);
        let config = Value::Object(config);
        let base = format!("resources.{}.config", resource.name);
        problems.extend(check(&base, &config, &resource.config_schema));
        resources.insert(resource.name.clone(), json!({"config": config}));
    }
    resources
}

fn resource_names(definitions: &Definitions) -> Vec<&str> {
    definitions
        .resources
        .iter()
        .map(|r| r.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::DEFAULT;

    fn run(job: &str, given: Value, batch: &str) -> Result<RunConfig, Vec<String>> {
        with_inputs(job, given, batch, &BTreeMap::new())
    }

    fn with_inputs(
        job: &str,
        given: Value,
        batch: &str,
        inputs: &BTreeMap<String, String>,
    ) -> Result<RunConfig, Vec<String>> {
        let definitions = Definitions::from_yaml(DEFAULT).unwrap();
        let job = definitions.job(job).unwrap();
        resolve(&ConfigRequest {
            definitions: &definitions,
            selected_by: &format!("job {}", job.name),
            assets: &job.assets,
            job_default: Some(&job.config),
            given: &given,
            batch,
            inputs,
        })
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    fn ingest(config: Value) -> Value {
        json!({"ops": {"ingest_synthetic_batch": {"config": config}}})
    }

    #[test]
    fn the_replaced_deployments_config_is_accepted_and_completed() {
        let config = run(
            "full_scoring_job",
            ingest(json!({"batch_id": "BATCH_001"})),
            "",
        )
        .unwrap();
        assert_eq!(config.batch.as_str(), "BATCH_001");
        let ops = &config.document["ops"];
        assert_eq!(ops["train_model_asset"]["config"]["seed"], 42);
        assert_eq!(
            ops["ingest_synthetic_batch"]["config"]["currency_policy"],
            "error"
        );
        assert_eq!(ops["extract_features"]["config"], json!({}));
        let scorecard = &config.document["resources"]["scoring_service"]["config"];
        assert_eq!(scorecard["scorecard_version"], "active");
    }

    #[test]
    fn a_misspelled_key_is_named_with_its_path_and_the_likely_one() {
        let problems = run("ingest_job", ingest(json!({"batch_idd": "B1"})), "B1").unwrap_err();
        assert_eq!(
            problems,
            ["ops.ingest_synthetic_batch.config.batch_idd: unknown key; did you mean batch_id?"]
        );
        let problems = run(
            "ingest_job",
            json!({"ops": {"ingest_syntetic_batch": {}}}),
            "B1",
        );
        assert_eq!(
            problems.unwrap_err(),
            ["ops.ingest_syntetic_batch: unknown key; did you mean ingest_synthetic_batch?"]
        );
        let problems = run(
            "ingest_job",
            json!({"op": {}, "resources": {"lakes": {}}}),
            "B1",
        );
        assert_eq!(
            problems.unwrap_err(),
            [
                "op: unknown key; known are ops, resources",
                "resources.lakes: unknown key; did you mean lake?"
            ]
        );
    }

    #[test]
    fn an_op_outside_of_the_job_is_refused_by_name() {
        let given = json!({"ops": {"train_model_asset": {"config": {"c": 2}}}});
        let problems = run("scoring_job", given, "B1").unwrap_err();
        assert_eq!(
            problems,
            ["ops.train_model_asset: is not in job scoring_job, which selects score_batch"]
        );
    }

    #[test]
    fn wrong_types_and_values_are_named_with_their_path() {
        let given = json!({"ops": {"score_batch": {"config": {
            "cutoff": "high",
            "rules": [{"name": "r", "priority": 1, "condition": "true"}]
        }}}});
        let problems = run("scoring_job", given, "B1").unwrap_err();
        assert!(
            problems[0].starts_with("ops.score_batch.config.cutoff: "),
            "{problems:?}"
        );
        assert_eq!(
            problems[1],
            "ops.score_batch.config.rules[0].action: is required"
        );
        let problems = run("ingest_job", ingest(json!({"as_of": "yesterday"})), "B1").unwrap_err();
        assert!(problems[0].starts_with("ops.ingest_synthetic_batch.config.as_of: "));
    }

    #[test]
    fn decision_rules_that_do_not_compile_are_named_with_their_path() {
        let rule = |condition: &str| {
            json!({"name": condition, "priority": 1, "condition": condition,
            "action": "set_max_score", "value": 500.0})
        };
        let given = |rules: Value| json!({"ops": {"score_batch": {"config": {"rules": rules}}}});
        let sound = json!([rule("score > 600.0")]);
        run("scoring_job", given(sound), "B1").unwrap();
        let broken = json!([rule("score > 600.0"), rule("scroe > 600.0")]);
        let found = run("scoring_job", given(broken), "B1").unwrap_err();
        assert_eq!(found.len(), 1, "{found:?}");
        let wanted = "ops.score_batch.config.rules[1].condition: ";
        assert!(found[0].starts_with(wanted), "{found:?}");
        assert!(found[0].contains("scroe"), "{found:?}");
    }

    #[test]
    fn partition_and_batch_id_fill_each_other_in_and_must_agree() {
        let config = run("ingest_job", json!({}), "B7").unwrap();
        let ingest_config = &config.document["ops"]["ingest_synthetic_batch"]["config"];
        assert_eq!(ingest_config["batch_id"], "B7");
        let problems = run("ingest_job", ingest(json!({"batch_id": "B1"})), "B7").unwrap_err();
        assert!(problems[0].contains("is \"B1\", but batch_id of this run is \"B7\""));
        let problems = run("ingest_job", json!({}), "").unwrap_err();
        assert!(problems[0].starts_with("ops.ingest_synthetic_batch.config.batch_id: is required"));
        let problems = run("scoring_job", json!({}), "").unwrap_err();
        assert_eq!(
            problems,
            ["batch_id: is required: which batch is the run for?"]
        );
        assert!(run("scoring_job", json!({}), "../etc").is_err());
    }

    #[test]
    fn files_for_ingested_datasets_go_into_its_config() {
        let inputs = [("parties".to_owned(), "file:///in/p.csv".to_owned())].into();
        let config = with_inputs("ingest_job", json!({}), "B1", &inputs).unwrap();
        assert_eq!(
            config.document["ops"]["ingest_synthetic_batch"]["config"]["source_files"],
            json!({"parties": "file:///in/p.csv"})
        );
    }
}
