//! Checks of a card's content, and the one change they make: factors and reference are put into catalogue order.

use super::{CardError, Factor, MinMax, ReferencePopulation, Scaling, ScoringContent};
use crate::bands::Bands;
use crate::catalogue::feature_index;
use crate::scaling::Method;

pub(super) fn check(version: &str, content: &mut ScoringContent) -> Result<(), CardError> {
    check_version(version)?;
    check_factors(&content.factors)?;
    content
        .factors
        .sort_by_key(|factor| feature_index(&factor.feature));
    content.scaling.check(&content.factors)?;
    check_range(content.scaling, &content.bands, content.cutoff)?;
    if let Some(link) = content.link
        && !(link.intercept.is_finite() && link.slope.is_finite())
    {
        return Err(CardError::Link);
    }
    if let Some(reference) = &mut content.reference {
        reference
            .factors
            .sort_by_key(|points| feature_index(&points.feature));
        check_reference(reference, &content.factors)?;
    }
    if let Some(population) = &content.training_population {
        population.check()?;
    }
    Ok(())
}

fn check_version(version: &str) -> Result<(), CardError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=64).contains(&version.len()) && version.bytes().all(allowed) {
        Ok(())
    } else {
        Err(CardError::Version {
            version: version.to_owned(),
        })
    }
}

fn check_factors(factors: &[Factor]) -> Result<(), CardError> {
    if factors.is_empty() {
        return Err(CardError::NoFactors);
    }
    for (index, factor) in factors.iter().enumerate() {
        let feature = factor.feature.clone();
        if feature_index(&feature).is_none() {
            return Err(CardError::UnknownFeature { feature });
        }
        if factors[..index].iter().any(|f| f.feature == feature) {
            return Err(CardError::DuplicateFactor { feature });
        }
        if !factor.weight.is_finite() {
            let weight = factor.weight;
            return Err(CardError::NonFiniteWeight { feature, weight });
        }
        if let Method::Cap(limit) | Method::Log(limit) = factor.method
            && !factor.method.is_valid()
        {
            return Err(CardError::MethodLimit { feature, limit });
        }
    }
    // Gmax − Gmin is the sum of the magnitudes; it must also be finite, or every factor's share is 0.
    let spread: f64 = factors.iter().map(|factor| factor.weight.abs()).sum();
    if spread > 0.0 && spread.is_finite() {
        Ok(())
    } else {
        let sum = factors.iter().map(|factor| factor.weight.min(0.0)).sum();
        Err(CardError::Degenerate { sum })
    }
}

fn check_range(scaling: Scaling, bands: &Bands, cutoff: i32) -> Result<(), CardError> {
    let (low, high) = bands.range();
    // A PDO card has no range of its own: scores beyond its bands belong to the band at that end.
    if let Scaling::MinMax(MinMax { base, max }) = scaling
        && (low, high) != (base, max)
    {
        return Err(CardError::BandsRange {
            low,
            high,
            base,
            max,
        });
    }
    if !(low..=high).contains(&cutoff) {
        return Err(CardError::Cutoff { cutoff, low, high });
    }
    Ok(())
}

fn check_reference(reference: &ReferencePopulation, factors: &[Factor]) -> Result<(), CardError> {
    let means = &reference.factors;
    for index in 0..means.len().max(factors.len()) {
        let mean = means.get(index);
        let factor = factors.get(index).map(|f| &f.feature);
        let fits = mean.is_some_and(|m| {
            factor == Some(&m.feature)
                && m.population_mean.is_finite()
                && m.near_cutoff_mean.is_finite()
        });
        if !fits {
            let feature = factor.or(mean.map(|m| &m.feature)).cloned();
            return Err(CardError::Reference {
                feature: feature.unwrap_or_default(),
            });
        }
    }
    Ok(())
}
