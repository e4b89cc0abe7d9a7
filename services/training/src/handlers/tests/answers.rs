//! What the service answers, of models of today and of those that an earlier version wrote.

use kycc_proto::models::v1::model_service_server::ModelService as _;
use kycc_proto::models::v1::{
    GetCurvesRequest, GetFactorBinsRequest, GetModelRequest, ListModelsRequest, Model,
};
use kycc_rpc::ClientError;
use serde_json::{Value, json};
use tonic::{Code, Request};

use super::bench::{Bench, parties};
use crate::handlers::service::Models;
use crate::store::Registered;

async fn trained() -> Bench {
    let mut bench = Bench::new("B1").await;
    bench.labelled("B1", 0, true, &parties(0, 2_000)).await;
    bench.train("0123456789abcdef").await.unwrap();
    bench
}

async fn newest(service: &Models) -> Model {
    let asked = Request::new(GetModelRequest::default());
    service
        .get_model(asked)
        .await
        .unwrap()
        .into_inner()
        .model
        .unwrap()
}

/// Enters a document under an id of its own, as the newest.
async fn enter(bench: &Bench, id: &str, mut document: Value) {
    document["model_id"] = json!(id);
    let entry = Registered {
        model_id: id.to_owned(),
        document: document.to_string(),
        run_id: "run".to_owned(),
        created_at_micros: i64::MAX - 1,
    };
    bench.task.store.register(&entry).await.unwrap();
}

#[tokio::test]
async fn a_model_answers_with_intervals_and_what_each_factor_is_worth() {
    let model = newest(&trained().await.service()).await;
    assert_eq!(model.model_id, "m-0123456789ab");
    for (metric, method) in [
        ("auc", "delong"),
        ("gini", "delong"),
        ("ks", "bootstrap"),
        ("average_precision", "bootstrap"),
        ("brier", "bootstrap"),
        ("log_loss", "bootstrap"),
    ] {
        let interval = &model.intervals[metric];
        assert_eq!(interval.method, method, "{metric}");
        let value = model.metrics[metric];
        assert!(interval.lower < value && value < interval.upper, "{metric}");
    }
    let part = |name: &str| {
        let found = model.coefficients.iter().find(|part| part.feature == name);
        found.unwrap().clone()
    };
    let verified = part("kyc_verified");
    assert!(verified.sign_as_declared && !verified.collinear);
    assert!(verified.variance_inflation >= 1.0);
    assert!((0.01..0.5).contains(&verified.information_value));
    // Never set, so it varies with nothing.
    let constant = part("has_tax_id");
    assert_eq!(
        (constant.variance_inflation, constant.information_value),
        (0.0, 0.0)
    );
    assert_eq!(constant.value, 0.0);
}

#[tokio::test]
async fn curves_run_from_corner_to_corner_in_at_most_two_hundred_points() {
    let service = trained().await.service();
    let asked = Request::new(GetCurvesRequest::default());
    let curves = service.get_curves(asked).await.unwrap().into_inner();
    for points in [curves.roc.len(), curves.ks.len(), curves.lift.len()] {
        assert!((2..=200).contains(&points), "{points}");
    }
    let (first, last) = (curves.roc.first().unwrap(), curves.roc.last().unwrap());
    assert_eq!((first.false_bad_rate, first.threshold), (0.0, None));
    assert_eq!((last.false_bad_rate, last.true_bad_rate), (1.0, 1.0));
    assert_eq!(curves.lift.last().unwrap().bads_caught, 1.0);
    let model = newest(&service).await;
    let gap =
        |point: &kycc_proto::models::v1::KsPoint| (point.bads_below - point.goods_below).abs();
    let ks = curves.ks.iter().map(gap).fold(0.0, f64::max);
    assert!((ks - model.metrics["ks"]).abs() < 1e-12);
    let rows: u64 = curves.calibration.iter().map(|bin| bin.rows).sum();
    assert_eq!(rows, model.holdout_rows);
}

#[tokio::test]
async fn bins_of_one_factor_or_of_all_add_up_to_its_information_value() {
    let service = trained().await.service();
    let ask = async |feature: &str| {
        let asked = GetFactorBinsRequest {
            feature: feature.to_owned(),
            ..GetFactorBinsRequest::default()
        };
        service.get_factor_bins(Request::new(asked)).await
    };
    let all = ask("").await.unwrap().into_inner().factors;
    assert_eq!(all.len(), newest(&service).await.coefficients.len());
    for factor in &all {
        let sum: f64 = factor.bins.iter().map(|bin| bin.information_value).sum();
        assert!((sum - factor.information_value).abs() < 1e-12);
        assert!(factor.bins.first().unwrap().low.is_none());
        assert!(factor.bins.last().unwrap().high.is_none());
    }
    let one = ask("kyc_verified").await.unwrap().into_inner().factors;
    assert_eq!(one.len(), 1);
    assert_eq!(
        (one[0].trend.as_str(), one[0].bins.len()),
        ("descending", 2)
    );
    let refused = ask("shoe_size").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_model_that_learned_nothing_has_neither_curves_nor_bins() {
    let mut bench = Bench::new("B1").await;
    bench.labelled("B1", 0, true, &parties(0, 50)).await;
    bench.train("k").await.unwrap();
    let service = bench.service();
    let model = newest(&service).await;
    assert_eq!(model.status, "insufficient");
    assert!(model.intervals.is_empty() && model.warnings.is_empty());
    let curves = service
        .get_curves(Request::new(GetCurvesRequest::default()))
        .await;
    let bins = service
        .get_factor_bins(Request::new(GetFactorBinsRequest::default()))
        .await;
    for (refused, reason) in [
        (curves.unwrap_err(), "NOT_JUDGED"),
        (bins.unwrap_err(), "NOT_BINNED"),
    ] {
        let error = ClientError::from(refused);
        assert_eq!(
            (error.code(), error.reason()),
            (Code::FailedPrecondition, reason)
        );
    }
}

#[tokio::test]
async fn models_of_the_first_code_version_answer_with_what_they_have() {
    let mut bench = trained().await;
    let (model, _) = bench.train("again").await.unwrap();
    let mut old = bench.document(&model).await;
    let curves = old["learned"]["curves"].clone();
    for key in ["warnings", "data", "left_out"] {
        old.as_object_mut().unwrap().remove(key);
    }
    let learned = old["learned"].as_object_mut().unwrap();
    for key in ["separable", "factors", "bootstrap", "curves"] {
        learned.remove(key);
    }
    learned["fit"].as_object_mut().unwrap().remove("penalty");
    learned.insert("roc".into(), curves["roc"].clone());
    learned.insert("calibration".into(), curves["calibration"].clone());
    enter(&bench, "m-old", old).await;

    let service = bench.service();
    let model = newest(&service).await;
    assert_eq!(model.model_id, "m-old");
    let methods: Vec<_> = model
        .intervals
        .values()
        .map(|of| of.method.as_str())
        .collect();
    assert_eq!(methods, ["delong"; 2]);
    assert!(model.coefficients[0].sign_as_declared);
    let curves = service
        .get_curves(Request::new(GetCurvesRequest::default()))
        .await;
    let curves = curves.unwrap().into_inner();
    assert!(!curves.roc.is_empty() && !curves.calibration.is_empty());
    assert!(curves.ks.is_empty() && curves.lift.is_empty());
    let bins = service
        .get_factor_bins(Request::new(GetFactorBinsRequest::default()))
        .await;
    assert_eq!(ClientError::from(bins.unwrap_err()).reason(), "NOT_BINNED");
}

#[tokio::test]
async fn the_list_goes_on_where_its_token_says_and_refuses_one_that_is_not_its_own() {
    let mut bench = trained().await;
    let (model, _) = bench.train("again").await.unwrap();
    let document = bench.document(&model).await;
    enter(&bench, "m-new", document).await;
    let service = bench.service();
    let page = async |token: &str| {
        let asked = ListModelsRequest {
            page_size: 1,
            page_token: token.to_owned(),
        };
        service.list_models(Request::new(asked)).await
    };
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let answer = page(&token).await.unwrap().into_inner();
        seen.extend(answer.models.into_iter().map(|model| model.model_id));
        token = answer.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["m-new", "m-again", "m-0123456789ab"]);
    let refused = page("00").await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

async fn compared(
    service: &Models,
    ids: &[&str],
) -> Result<kycc_proto::models::v1::CompareModelsResponse, ClientError> {
    let asked = kycc_proto::models::v1::CompareModelsRequest {
        model_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    };
    Ok(service
        .compare_models(Request::new(asked))
        .await?
        .into_inner())
}

#[tokio::test]
async fn models_stand_side_by_side_with_differences_and_whether_their_holdout_is_one() {
    let bench = trained().await;
    let service = bench.service();
    let first = newest(&service).await;
    let entry = bench
        .task
        .store
        .get(&first.model_id)
        .await
        .unwrap()
        .unwrap();
    let document: Value = serde_json::from_str(&entry.document).unwrap();
    let mut better = document.clone();
    let auc = better["learned"]["metrics"]["auc"].as_f64().unwrap();
    better["learned"]["metrics"]["auc"] = json!(auc + 0.125);
    enter(&bench, "m-better", better).await;
    let mut elsewhere = document;
    elsewhere["config"]["seed"] = json!(987);
    enter(&bench, "m-elsewhere", elsewhere).await;

    let same = compared(&service, &[&first.model_id, "m-better"])
        .await
        .unwrap();
    assert!(same.same_holdout, "{}", same.holdout_differs);
    let metric = |name: &str| same.metrics.iter().find(|one| one.metric == name).unwrap();
    let of_auc = &metric("auc").models;
    assert_eq!((of_auc[0].value, of_auc[0].difference), (Some(auc), None));
    assert!((of_auc[1].difference.unwrap() - 0.125).abs() < 1e-12);
    assert_eq!(
        (metric("auc").direction, metric("brier").direction),
        (1, -1)
    );
    assert_eq!(metric("brier").models[1].difference, Some(0.0));

    let other = compared(&service, &["m-elsewhere", "m-better"])
        .await
        .unwrap();
    assert!(!other.same_holdout);
    assert!(
        other.holdout_differs.contains("seed"),
        "{}",
        other.holdout_differs
    );
}

#[tokio::test]
async fn comparing_too_few_or_unknown_or_repeated_models_is_refused() {
    let service = trained().await.service();
    for (ids, field) in [
        (&["m-1"][..], "model_ids"),
        (&["m-1", "m-1"], "model_ids[1]"),
        (&["m-1", ""], "model_ids[1]"),
    ] {
        let error = compared(&service, ids).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert_eq!(error.violations()[0].field, field);
    }
    let error = compared(&service, &["'; DROP TABLE training_models", "m-2"])
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}
