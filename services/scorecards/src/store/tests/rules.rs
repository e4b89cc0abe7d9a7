//! The life of a rule set, and what the log says of it.

use super::*;
use crate::core::rule_sets::{Caller, Proposal, RuleStatus, RuleWish};
use kycc_domain::rules::{Rule, RuleSet, default_rules};

kycc_testkit::on_every_store!(
    "scorecards",
    &MIGRATIONS,
    [
        the_built_in_rules_are_the_first_set_and_are_entered_once,
        a_set_is_proposed_approved_by_another_and_activated_with_an_entry_for_each,
        what_is_refused_leaves_no_entry_and_changes_nothing,
        a_request_is_carried_out_once_and_its_id_serves_nothing_else,
        cards_and_rules_share_one_chain_that_accounts_for_both,
        a_set_that_was_changed_or_removed_behind_the_logs_back_is_found,
    ]
);

trait RuledStore: AnyStore + RuleStore {}
impl<S: AnyStore + RuleStore> RuledStore for S {}

fn by(principal: &str, request_id: &str) -> Caller {
    Caller {
        principal: principal.into(),
        reason: "fewer false alarms".into(),
        request_id: request_id.into(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".into(),
        at_micros: 50,
    }
}

fn proposal(rules: &[Rule], request_id: &str) -> Proposal {
    let rules = RuleSet::compile(rules).unwrap();
    Proposal {
        rules: rules.rules().to_vec(),
        hash: rules.digest().to_string(),
        caller: by("ann", request_id),
    }
}

const APPROVE: RuleWish = RuleWish::Approve {
    allow_self_approval: false,
    identity_provider: true,
};

async fn ready(store: &impl RuledStore) {
    opened(store).await;
    store.open_rules(1).await.unwrap();
}

/// `service action subject` of every entry about rules.
async fn told(store: &impl RuledStore) -> Vec<String> {
    let entries = store.entries("", 0, 100).await.unwrap();
    let of_rules = entries
        .iter()
        .filter(|entry| entry.subject_of("rules").is_some());
    of_rules
        .map(|entry| format!("{} {} {}", entry.principal, entry.action, entry.subject))
        .collect()
}

async fn the_built_in_rules_are_the_first_set_and_are_entered_once<S: RuledStore>(store: S) {
    ready(&store).await;
    store.open_rules(2).await.unwrap();
    let active = store.active_rules().await.unwrap().unwrap();
    assert_eq!((active.version, active.created_at_micros), (1, 1));
    let read: Vec<Rule> = serde_json::from_str(&active.rules).unwrap();
    assert_eq!(read, default_rules());
    assert_eq!(told(&store).await, ["kycc propose rules/1"]);
}

async fn a_set_is_proposed_approved_by_another_and_activated_with_an_entry_for_each<
    S: RuledStore,
>(
    store: S,
) {
    ready(&store).await;
    let entered = store
        .propose_rules(&proposal(&default_rules()[..2], ""))
        .await
        .unwrap();
    assert_eq!(
        (entered.version, entered.standing.status),
        (2, RuleStatus::Draft)
    );
    let approved = store
        .change_rules(2, APPROVE, &by("bob", ""))
        .await
        .unwrap();
    assert_eq!(approved.standing.approver.as_deref(), Some("bob"));
    let active = store
        .change_rules(2, RuleWish::Activate, &by("bob", ""))
        .await
        .unwrap();
    assert_eq!(store.active_rules().await.unwrap(), Some(active));
    let first = store.rules(1).await.unwrap().unwrap();
    assert_eq!(first.standing.status, RuleStatus::Retired);
    // What is so already, and back again.
    store
        .change_rules(2, RuleWish::Activate, &by("bob", ""))
        .await
        .unwrap();
    store
        .change_rules(1, RuleWish::Activate, &by("cid", ""))
        .await
        .unwrap();
    let listed = store.list_rules(i64::MAX, 9).await.unwrap();
    let standing: Vec<_> = listed
        .iter()
        .map(|set| (set.version, set.standing.status))
        .collect();
    assert_eq!(
        standing,
        [(2, RuleStatus::Retired), (1, RuleStatus::Active)]
    );
    assert_eq!(store.list_rules(2, 9).await.unwrap().len(), 1);
    assert_eq!(
        told(&store).await,
        [
            "kycc propose rules/1",
            "ann propose rules/2",
            "bob approve rules/2",
            "bob retire rules/1",
            "bob activate rules/2",
            "cid retire rules/2",
            "cid activate rules/1",
        ]
    );
    assert_eq!(store.verify("").await.unwrap().broken, None);
}

async fn what_is_refused_leaves_no_entry_and_changes_nothing<S: RuledStore>(store: S) {
    ready(&store).await;
    store.propose_rules(&proposal(&[], "")).await.unwrap();
    let before = store.list_rules(i64::MAX, 9).await.unwrap();
    let here = RuleWish::Approve {
        allow_self_approval: false,
        identity_provider: false,
    };
    let silent = Caller {
        reason: String::new(),
        ..by("bob", "")
    };
    for (version, wish, caller, reason) in [
        (2, APPROVE, by("ann", ""), "SELF_APPROVAL"),
        (2, here, by("ann", ""), "SELF_APPROVAL"),
        (2, RuleWish::Activate, by("bob", ""), "RULES_NOT_APPROVED"),
        (2, APPROVE, silent, "REASON_REQUIRED"),
    ] {
        match store.change_rules(version, wish, &caller).await {
            Err(ChangeError::RulesRefused(refusal)) => assert_eq!(refusal.reason(), reason),
            other => panic!("{other:?}"),
        }
    }
    let missing = store.change_rules(9, APPROVE, &by("bob", "")).await;
    assert!(matches!(
        missing,
        Err(ChangeError::RulesNotFound { version: 9 })
    ));
    assert_eq!(store.list_rules(i64::MAX, 9).await.unwrap(), before);
    assert_eq!(
        told(&store).await,
        ["kycc propose rules/1", "ann propose rules/2"]
    );
    // On a machine of one's own it passes, and is told.
    let own = RuleWish::Approve {
        allow_self_approval: true,
        identity_provider: false,
    };
    let approved = store.change_rules(2, own, &by("ann", "")).await.unwrap();
    assert!(approved.standing.self_approved);
}

async fn a_request_is_carried_out_once_and_its_id_serves_nothing_else<S: RuledStore>(store: S) {
    ready(&store).await;
    let first = store.propose_rules(&proposal(&[], "q-1")).await.unwrap();
    assert_eq!(
        store.propose_rules(&proposal(&[], "q-1")).await.unwrap(),
        first
    );
    store
        .change_rules(2, APPROVE, &by("bob", "q-2"))
        .await
        .unwrap();
    store
        .change_rules(2, APPROVE, &by("bob", "q-2"))
        .await
        .unwrap();
    assert_eq!(told(&store).await.len(), 3);
    let others = [
        store
            .propose_rules(&proposal(&default_rules(), "q-1"))
            .await,
        store
            .change_rules(2, RuleWish::Activate, &by("bob", "q-2"))
            .await,
        store.change_rules(1, APPROVE, &by("bob", "q-2")).await,
    ];
    for other in others {
        match other {
            Err(ChangeError::RulesRefused(refusal)) => {
                assert_eq!(refusal.reason(), "REQUEST_ID_REUSED")
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn cards_and_rules_share_one_chain_that_accounts_for_both<S: RuledStore>(store: S) {
    ready(&store).await;
    approved(&store, "1.0-a", 2.0).await;
    store.propose_rules(&proposal(&[], "")).await.unwrap();
    store
        .change(&named("1.0-a"), &request(Wish::Activate))
        .await
        .unwrap();
    let report = store.verify("").await.unwrap();
    assert_eq!((report.entries, report.broken), (7, None));
}

async fn a_set_that_was_changed_or_removed_behind_the_logs_back_is_found<S: RuledStore>(store: S) {
    for sql in [
        "UPDATE scorecards_rule_sets SET rules = '[]' WHERE version = 1",
        "UPDATE scorecards_rule_sets SET author = 'eve' WHERE version = 1",
        "UPDATE scorecards_rule_sets SET approver = 'eve' WHERE version = 2",
        "UPDATE scorecards_rule_sets SET status = 'approved' WHERE version = 2",
        "UPDATE scorecards_rule_sets SET revision = 1 WHERE version = 2",
        "DELETE FROM scorecards_rule_sets WHERE version = 2",
    ] {
        for table in [
            "DELETE FROM audit_entries",
            "DELETE FROM scorecards_versions",
            "DELETE FROM scorecards_rule_sets",
        ] {
            store.tamper(table).await;
        }
        ready(&store).await;
        store.propose_rules(&proposal(&[], "")).await.unwrap();
        assert_eq!(store.verify("").await.unwrap().broken, None);
        store.tamper(sql).await;
        let broken = store.verify("").await.unwrap().broken;
        let broken = broken.unwrap_or_else(|| panic!("not found: {sql}"));
        assert!(broken.message.contains("rule set"), "{sql}: {broken:?}");
    }
}
