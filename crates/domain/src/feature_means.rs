//! Means of features over a batch that is computed in shards: exact sums, so that no cut of the batch shows in them.
//!
//! Values are summed in millionths as integers. A step's metadata carries the sums as two integers each, which the lake
//! adds up over shards; `summarize` then turns them into means.

use crate::catalogue::{FEATURES, FeatureSpec, Source};
use serde_json::{Map, Value, json};

/// What a value is rounded to before it is summed.
const PER_UNIT: f64 = 1e6;
/// The lower integer of a sum holds this many bits, so that 2^23 shards of them add up within an i64.
const LOW_BITS: u32 = 40;

/// Sums of some features over the parties of one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSums {
    features: Vec<(&'static str, i128)>,
    parties: u64,
}

impl FeatureSums {
    /// For the features of one extractor, or of all, in catalogue order.
    pub fn new(source: Option<Source>) -> Self {
        let taken = |spec: &&FeatureSpec| source.is_none_or(|source| spec.source == source);
        Self {
            features: FEATURES
                .iter()
                .filter(taken)
                .map(|spec| (spec.name, 0))
                .collect(),
            parties: 0,
        }
    }

    /// Adds some parties: `column` gives their values of a feature, by its name.
    pub fn add<'a>(&mut self, column: impl Fn(&'static str) -> &'a [f64]) {
        let mut parties = 0;
        for (name, sum) in &mut self.features {
            let values = column(name);
            *sum += values
                .iter()
                .map(|value| (value * PER_UNIT).round() as i128)
                .sum::<i128>();
            parties = values.len();
        }
        self.parties += parties as u64;
    }

    /// `{"parties": n, "feature_sums": {…}}`: integers only, which add up over shards.
    pub fn into_metadata(self) -> Map<String, Value> {
        let sums: Map<String, Value> = self
            .features
            .into_iter()
            .map(|(name, sum)| {
                let low = sum & ((1 << LOW_BITS) - 1);
                let high = (sum >> LOW_BITS).clamp(i64::MIN.into(), i64::MAX.into());
                (
                    name.to_owned(),
                    json!({"high": high as i64, "low": low as i64}),
                )
            })
            .collect();
        Map::from_iter([
            ("parties".to_owned(), self.parties.into()),
            ("feature_sums".to_owned(), sums.into()),
        ])
    }
}

/// Replaces `feature_sums` by `feature_means`; everything else stays. A batch without parties has no means.
pub fn summarize(mut metadata: Map<String, Value>) -> Map<String, Value> {
    let parties = metadata.get("parties").and_then(Value::as_u64).unwrap_or(0);
    let Some(Value::Object(sums)) = metadata.remove("feature_sums") else {
        return metadata;
    };
    let mean = |sum: &Value| {
        let part = |name: &str| i128::from(sum.get(name).and_then(Value::as_i64).unwrap_or(0));
        let sum = (part("high") << LOW_BITS) + part("low");
        sum as f64 / PER_UNIT / parties as f64
    };
    let means: Map<String, Value> = sums
        .iter()
        .filter(|_| parties > 0)
        .map(|(name, sum)| (name.clone(), mean(sum).into()))
        .collect();
    metadata.insert("feature_means".to_owned(), means.into());
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(metadata: Map<String, Value>) -> Value {
        summarize(metadata)["feature_means"].clone()
    }

    #[test]
    fn means_are_those_of_the_values() {
        let mut sums = FeatureSums::new(Some(Source::Network));
        sums.add(|feature| match feature {
            "direct_counterparty_count" => &[1.0, 2.0],
            "network_depth_downstream" => &[0.0, 5.0],
            "network_size" => &[-3.5, 3.0],
            "supplier_count" => &[0.25, 0.5],
            "customer_count" => &[4e13, 5e13],
            _ => &[0.0, 0.0],
        });
        assert_eq!(
            means(sums.into_metadata()),
            json!({
                "direct_counterparty_count": 1.5,
                "network_depth_downstream": 2.5,
                "network_size": -0.25,
                "supplier_count": 0.375,
                "customer_count": 4.5e13,
                "network_balance_ratio": 0.0,
            })
        );
    }

    #[test]
    fn sums_of_shards_add_up_to_those_of_the_whole() {
        let values: Vec<f64> = (0..1000)
            .map(|i| f64::from(i * i % 97) * 1234.567891 - 9e4)
            .collect();
        let of = |values: &[f64]| {
            let mut sums = FeatureSums::new(Some(Source::Kyc));
            sums.add(|_| values);
            sums.into_metadata()
        };
        let (mut left, right) = (of(&values[..300]), of(&values[300..]));
        for (name, sum) in left["feature_sums"].as_object_mut().unwrap() {
            for part in ["high", "low"] {
                let other = right["feature_sums"][name][part].as_i64().unwrap();
                sum[part] = (sum[part].as_i64().unwrap() + other).into();
            }
        }
        left["parties"] = 1000.into();
        assert_eq!(means(left), means(of(&values)));
    }

    #[test]
    fn a_batch_without_parties_has_no_means() {
        let metadata = summarize(FeatureSums::new(None).into_metadata());
        assert_eq!(
            Value::Object(metadata),
            json!({"parties": 0, "feature_means": {}})
        );
    }
}
