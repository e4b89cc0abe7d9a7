//! The shape of `pipeline.yaml`. The file itself explains every key.

use std::collections::BTreeMap;

use kycc_domain::ids::{AssetKey, DatasetName};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::{QueueLimits, RetryPolicy};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definitions {
    pub location_name: String,
    pub assets: Vec<AssetDef>,
    pub jobs: Vec<JobDef>,
    #[serde(default)]
    pub run_queue: QueueLimits,
    #[serde(default)]
    pub run_monitoring: Monitoring,
    #[serde(default)]
    pub retention: Retention,
    #[serde(default)]
    pub lake: LakeKeeping,
    #[serde(default)]
    pub telemetry: Telemetry,
    #[serde(default)]
    pub resources: Vec<ResourceDef>,
    #[serde(default)]
    pub sharding: Sharding,
    #[serde(default)]
    pub retries: RetryPolicy,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssetDef {
    pub key: AssetKey,
    #[serde(default)]
    pub group: String,
    #[serde(default)]
    pub description: String,
    pub lane: String,
    pub code_version: String,
    #[serde(default)]
    pub deps: Vec<AssetKey>,
    /// None, where the asset is an effect and no data.
    #[serde(default)]
    pub outputs: Vec<DatasetName>,
    #[serde(default)]
    pub inputs: Vec<DatasetName>,
    #[serde(default)]
    pub all_batches: Vec<DatasetName>,
    #[serde(default)]
    pub sources: Vec<String>,
    #[serde(default)]
    pub sharded: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_config: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FilesDef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<RetryPolicy>,
    #[serde(default = "no_config")]
    pub config_schema: Value,
}

fn no_config() -> Value {
    serde_json::json!({"type": "object", "additionalProperties": false, "properties": {}})
}

/// Files of the named datasets go into a config field of the asset, for it to read them itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilesDef {
    pub config: String,
    pub datasets: Vec<DatasetName>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobDef {
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub assets: Vec<AssetKey>,
    #[serde(default = "empty_object")]
    pub config: Value,
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

fn empty_object() -> Value {
    Value::Object(serde_json::Map::new())
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceDef {
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default = "no_config")]
    pub config_schema: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Monitoring {
    pub enabled: bool,
    pub poll_interval_seconds: u64,
    pub start_timeout_seconds: u64,
    pub cancel_timeout_seconds: u64,
    /// 0: no limit.
    pub max_runtime_seconds: u64,
    /// Workers that one task may cost before it is a dead letter.
    pub max_deliveries: u32,
}

impl Default for Monitoring {
    fn default() -> Self {
        Self {
            enabled: true,
            poll_interval_seconds: 60,
            start_timeout_seconds: 180,
            cancel_timeout_seconds: 30,
            max_runtime_seconds: 0,
            max_deliveries: 3,
        }
    }
}

/// How long ended runs are kept. 0: for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Retention {
    /// Their event logs.
    pub events_days: u32,
    /// They themselves, with everything that was written of them.
    pub runs_days: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LakeKeeping {
    /// Versions that nothing refers to are removed when they are this old. 0: never.
    pub garbage_after_days: u32,
}

impl Default for LakeKeeping {
    fn default() -> Self {
        Self {
            garbage_after_days: 7,
        }
    }
}

/// kycc never phones home, so there is nothing to switch on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Telemetry {
    pub enabled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sharding {
    pub parties_per_shard: u64,
    pub max_shards: u32,
}

impl Default for Sharding {
    fn default() -> Self {
        Self {
            parties_per_shard: 250_000,
            max_shards: 64,
        }
    }
}

impl Sharding {
    pub(crate) fn shards(&self, parties: u64) -> u32 {
        let wanted = parties.div_ceil(self.parties_per_shard.max(1));
        u32::try_from(wanted)
            .unwrap_or(u32::MAX)
            .clamp(1, self.max_shards.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::Sharding;

    #[test]
    fn shards_grow_with_the_parties_up_to_the_limit() {
        let sharding = Sharding {
            parties_per_shard: 100,
            max_shards: 4,
        };
        let counts = [0, 1, 100, 101, 250, 4000].map(|parties| sharding.shards(parties));
        assert_eq!(counts, [1, 1, 1, 2, 3, 4]);
    }
}
