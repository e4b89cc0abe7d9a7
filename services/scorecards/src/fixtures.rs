//! Versions and stores for tests.

use kycc_domain::card::{Provenance, Scorecard};
use kycc_domain::expert::expert_card;
use kycc_domain::gates::{Gate, GateReport, GateResult, GateStatus, Impact, Verdict};
use kycc_store::sqlite::Store;

use crate::core::life::{Approval, Request, Wish};
use crate::core::standing::Standing;
use crate::core::version::{Status, Version};
use crate::store::{MIGRATIONS, Target, VersionStore};

/// Of one gate.
pub(crate) fn report(status: GateStatus, bootstrap: bool) -> GateReport {
    let gate = GateResult {
        gate: Gate::Champion,
        status,
        numbers: vec![],
        message: "why".into(),
    };
    let verdict = if status.passes() {
        Verdict::Gated
    } else {
        Verdict::Failed
    };
    GateReport {
        gates: vec![gate],
        verdict,
        bootstrap,
        activatable: status.passes() && !bootstrap,
        impact: Impact::default(),
    }
}

/// By ann, its gates passed; the expert card with its first weight multiplied, so that contents differ.
pub(crate) fn version(name: &str, factor: f64, created_at_micros: i64) -> Version {
    let mut content = expert_card().content().clone();
    content.factors[0].weight *= factor;
    Version {
        card: Scorecard::new(name, content, Provenance::default()).unwrap(),
        gates: Some(report(GateStatus::Pass, false)),
        missing_link: None,
        author: "ann".into(),
        parent: Some("1.0".into()),
        model_id: Some("m-1".into()),
        run_id: Some("r-1".into()),
        blend: 0.5,
        created_at_micros,
        standing: Standing::of(Status::Gated),
    }
}

/// The built-in one.
pub(crate) fn first() -> Version {
    Version {
        card: expert_card(),
        gates: None,
        model_id: None,
        run_id: None,
        parent: None,
        blend: 0.0,
        standing: Standing {
            activated_at_micros: Some(1),
            ..Standing::of(Status::Active)
        },
        ..version("1.0", 1.0, 1)
    }
}

/// With the built-in version alone.
pub(crate) async fn store() -> Store {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let log = store
        .migrate(kycc_audit::TABLES, kycc_audit::MIGRATIONS)
        .await;
    log.unwrap();
    store.migrate("scorecards", &MIGRATIONS).await.unwrap();
    store.open(&first()).await.unwrap();
    store
}

/// By bob, for a good reason, whatever stands.
pub(crate) fn request(wish: Wish) -> Request {
    Request {
        wish,
        principal: "bob".into(),
        reason: "better on every gate".into(),
        etag: String::new(),
        request_id: String::new(),
        trace_id: String::new(),
        at_micros: 9,
    }
}

pub(crate) fn approve() -> Request {
    request(Wish::Approve(Approval::default()))
}

pub(crate) fn named(version: &str) -> Target {
    Target::Named(version.to_owned())
}

/// Enters a version that was judged against the active one, and has it approved.
pub(crate) async fn approved(store: &impl VersionStore, name: &str, factor: f64) -> Version {
    let active = store.active().await.unwrap().unwrap();
    let judged = Version {
        parent: Some(active.name().to_owned()),
        ..version(name, factor, 2)
    };
    store.enter(&judged, None).await.unwrap();
    let changed = store.change(&named(name), &approve()).await.unwrap();
    changed.unwrap()
}
