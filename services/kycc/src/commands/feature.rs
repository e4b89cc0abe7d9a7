//! `kycc feature …`.

use kycc_proto::features::v1::{
    CompareFeaturesRequest, GetFeaturesRequest, ListFeatureDefinitionsRequest,
};
use kycc_rpc::ClientError;
use serde_json::{Map, json};

use crate::args::{FeatureCommand, Global};
use crate::connection::Connection;
use crate::show::{Table, json as show_json, text};

pub(crate) async fn run(global: &Global, command: FeatureCommand) -> anyhow::Result<()> {
    let connection = match command {
        FeatureCommand::Get { .. } | FeatureCommand::Compare { .. } => {
            Connection::for_reading(global).await?
        }
        FeatureCommand::List => Connection::for_catalogue(global).await?,
    };
    let outcome = match command {
        FeatureCommand::Get { party, batch } => get(&connection, global, party, batch).await,
        FeatureCommand::Compare { party, batch, base } => {
            compare(&connection, global, party, batch, base).await
        }
        FeatureCommand::List => list(&connection, global).await,
    };
    connection.close().await;
    outcome
}

async fn get(
    connection: &Connection,
    global: &Global,
    party: String,
    batch: String,
) -> anyhow::Result<()> {
    let request = GetFeaturesRequest {
        batch_id: batch.clone(),
        party_ids: vec![party.clone()],
        as_of_time: None,
    };
    let answer = connection
        .features()
        .get_features(request)
        .await
        .map_err(ClientError::from)?
        .into_inner();
    let Some(vector) = answer.vectors.first() else {
        anyhow::bail!("batch {batch} holds no party {party}");
    };
    if global.json {
        let values: Map<_, _> = vector
            .values
            .iter()
            .map(|value| {
                (
                    value.name.clone(),
                    json!({"value": value.value, "confidence": value.confidence}),
                )
            })
            .collect();
        show_json::print(&json!({
            "party_id": vector.party_id, "batch_id": vector.batch_id,
            "as_of_time": text::rfc3339(vector.as_of_time), "features": values,
        }));
        return Ok(());
    }
    outln!(
        "{} in {} as of {}",
        vector.party_id,
        vector.batch_id,
        text::time(vector.as_of_time)
    );
    let mut table = Table::new(&["feature", "#value", "#confidence"]);
    for value in &vector.values {
        table.row([
            value.name.clone(),
            text::decimal(value.value, 4),
            text::decimal(value.confidence, 2),
        ]);
    }
    table.print("");
    Ok(())
}

async fn compare(
    connection: &Connection,
    global: &Global,
    party: String,
    batch: Option<String>,
    base: Option<String>,
) -> anyhow::Result<()> {
    let request = CompareFeaturesRequest {
        party_id: party,
        batch_id: batch.unwrap_or_default(),
        base_batch_id: base.unwrap_or_default(),
    };
    let answer = connection.features().compare_features(request).await;
    let found = answer.map_err(ClientError::from)?.into_inner();
    if global.json {
        let rows = found.differences.iter().map(|one| {
            json!({
                "name": one.name, "unit": one.unit, "base_value": one.base_value, "value": one.value,
                "difference": one.difference, "improvement": one.improvement,
            })
        });
        show_json::print(&json!({
            "party_id": found.party_id, "batch_id": found.batch_id, "base_batch_id": found.base_batch_id,
            "differences": rows.collect::<Vec<_>>(),
        }));
        return Ok(());
    }
    outln!(
        "{}: {} beside {}",
        found.party_id,
        found.batch_id,
        found.base_batch_id
    );
    let mut table = Table::new(&["feature", "#before", "#now", "#difference", "unit", ""]);
    for one in found.differences {
        table.row([
            one.name,
            text::decimal(one.base_value, 4),
            text::decimal(one.value, 4),
            text::decimal(one.difference, 4),
            one.unit,
            match one.improvement {
                1 => "better".to_owned(),
                -1 => "worse".to_owned(),
                _ => String::new(),
            },
        ]);
    }
    table.print("");
    Ok(())
}

async fn list(connection: &Connection, global: &Global) -> anyhow::Result<()> {
    let request = ListFeatureDefinitionsRequest {};
    let answer = connection
        .features()
        .list_feature_definitions(request)
        .await
        .map_err(ClientError::from)?;
    let features = answer.into_inner().features;
    if global.json {
        let rows = features.iter().map(|feature| {
            json!({
                "name": feature.name, "source": feature.source, "unit": feature.unit,
                "definition": feature.definition, "minimum": finite(feature.minimum),
                "maximum": finite(feature.maximum), "direction": feature.direction, "scaling": feature.scaling,
            })
        });
        show_json::print(&json!({"features": rows.collect::<Vec<_>>()}));
        return Ok(());
    }
    let mut table = Table::new(&["feature", "source", "unit", "scaling", "definition"]);
    for feature in features {
        table.row([
            feature.name,
            feature.source,
            feature.unit,
            feature.scaling,
            feature.definition,
        ]);
    }
    table.print("");
    Ok(())
}

/// JSON has no infinity: an open end of a range is null.
fn finite(bound: f64) -> Option<f64> {
    bound.is_finite().then_some(bound)
}
