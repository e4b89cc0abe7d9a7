//! Cards that a person wrote: read, checked by field, and named as refined ones are.

use kycc_domain::card::{CardError, Provenance, Scorecard, ScoringContent};
use kycc_domain::ids::Digest;
use serde_json::Value;

/// Where a card is at fault, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Below the card, e.g. `factors[2].weight`; empty: the card itself.
    pub(crate) field: String,
    /// Stable, UPPER_SNAKE.
    pub(crate) reason: &'static str,
    pub(crate) description: String,
}

/// What the name of a version and its provenance say is the service's to say.
const NOT_OF_THE_CARD: [&str; 4] = ["version", "parent", "author", "model_id"];

/// The content of a card, or everything that is wrong with it.
pub(crate) fn content(card_json: &str) -> Result<ScoringContent, Vec<Violation>> {
    let broken = |field: &str, description: String| {
        vec![Violation {
            field: field.to_owned(),
            reason: "CARD_UNREADABLE",
            description,
        }]
    };
    let mut card: Value = serde_json::from_str(card_json)
        .map_err(|error| broken("", format!("is not JSON: {error}")))?;
    if let Some(card) = card.as_object_mut() {
        for name in NOT_OF_THE_CARD {
            card.remove(name);
        }
    }
    let content: ScoringContent = serde_path_to_error::deserialize(&card).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "" } else { path.as_str() };
        broken(field, error.inner().to_string())
    })?;
    let violations = faults(&content);
    if violations.is_empty() {
        Ok(content)
    } else {
        Err(violations)
    }
}

fn faults(content: &ScoringContent) -> Vec<Violation> {
    let mut found = Vec::new();
    for (index, factor) in content.factors.iter().enumerate() {
        let alone = ScoringContent::of(vec![factor.clone()]);
        match built("check", alone, Provenance::default()) {
            // A factor without weight is no fault of a card that has others.
            Ok(_) | Err(CardError::Degenerate { .. }) => {}
            Err(error) => found.push(violation(&error, Some(index))),
        }
    }
    if found.is_empty()
        && let Err(error) = built("check", content.clone(), Provenance::default())
    {
        found.push(violation(&error, None));
    }
    found
}

fn built(
    version: &str,
    content: ScoringContent,
    provenance: Provenance,
) -> Result<Scorecard, CardError> {
    Scorecard::new(version, content, provenance)
}

fn violation(error: &CardError, factor: Option<usize>) -> Violation {
    let field = match (error, factor) {
        (CardError::UnknownFeature { .. }, Some(index)) => format!("factors[{index}].feature"),
        (CardError::NonFiniteWeight { .. }, Some(index)) => format!("factors[{index}].weight"),
        (CardError::MethodLimit { .. }, Some(index)) => format!("factors[{index}].method"),
        (CardError::BandsRange { .. }, _) => "bands".to_owned(),
        (CardError::Cutoff { .. }, _) => "cutoff".to_owned(),
        (CardError::Link, _) => "link".to_owned(),
        (CardError::Reference { .. }, _) => "reference".to_owned(),
        (CardError::TrainingPopulation(_), _) => "training_population".to_owned(),
        (
            CardError::Range { .. }
            | CardError::ScalingKind
            | CardError::PdoAnchor { .. }
            | CardError::LogOdds { .. },
            _,
        ) => "scaling".to_owned(),
        _ => "factors".to_owned(),
    };
    Violation {
        field,
        reason: error.reason(),
        description: error.to_string(),
    }
}

/// The card under its name: after its parent and its own content, `1.0-3fa9c1d2`.
pub(crate) fn named(
    content: ScoringContent,
    parent: &Scorecard,
    author: &str,
) -> Result<Scorecard, CardError> {
    let provenance = Provenance {
        parent: Some(parent.hash()),
        author: Some(author.to_owned()),
        model_id: None,
    };
    let hash = hash(&content)?.to_string();
    let root = parent.version().split('-').next().unwrap_or_default();
    let name = format!("{root}-{}", hash.get(..8).unwrap_or(&hash));
    built(&name, content, provenance)
}

pub(crate) fn hash(content: &ScoringContent) -> Result<Digest, CardError> {
    Ok(built("check", content.clone(), Provenance::default())?.hash())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kycc_domain::expert::expert_card;
    use serde_json::json;

    fn faulty(change: impl FnOnce(&mut Value)) -> Vec<(String, &'static str)> {
        let mut card = json!(expert_card());
        change(&mut card);
        let found = content(&card.to_string()).err().unwrap_or_default();
        found
            .into_iter()
            .map(|found| (found.field, found.reason))
            .collect()
    }

    #[test]
    fn a_card_is_read_back_as_it_was_written_out() {
        let expert = expert_card();
        let read = content(&json!(expert).to_string()).unwrap();
        assert_eq!(&read, expert.content());
        assert_eq!(hash(&read).unwrap(), expert.hash());
        let name = named(read, &expert, "ann").unwrap();
        assert!(name.version().starts_with("1.0-"), "{}", name.version());
        assert_eq!(name.provenance().author.as_deref(), Some("ann"));
    }

    #[test]
    fn every_faulty_factor_is_told_by_its_place() {
        let found = faulty(|card| {
            card["factors"][0]["feature"] = json!("shoe_size");
            card["factors"][2]["feature"] = json!("hat_size");
        });
        let expected = [
            ("factors[0].feature".to_owned(), "UNKNOWN_FEATURE"),
            ("factors[2].feature".to_owned(), "UNKNOWN_FEATURE"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_wrong_with_the_whole_is_told_by_its_field() {
        let cutoff = faulty(|card| card["cutoff"] = json!(10_000));
        assert_eq!(cutoff, [("cutoff".to_owned(), "CARD_CUTOFF")]);
        let none = faulty(|card| card["factors"] = json!([]));
        assert_eq!(none, [("factors".to_owned(), "CARD_NO_FACTORS")]);
        let odd = faulty(|card| card["factors"][1]["weight"] = json!("much"));
        assert_eq!(odd, [("factors[1].weight".to_owned(), "CARD_UNREADABLE")]);
        let more = faulty(|card| card["colour"] = json!("red"));
        assert_eq!(more[0].1, "CARD_UNREADABLE");
        assert_eq!(content("{").unwrap_err()[0].reason, "CARD_UNREADABLE");
    }
}
