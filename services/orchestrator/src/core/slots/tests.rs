//! The run queue: examples that people ask about, and what holds for every queue.

use proptest::prelude::*;

use super::*;

fn run(id: &str, priority: i32, created_at: i64, team: Option<&str>) -> SlotRun {
    SlotRun {
        run_id: id.parse().unwrap(),
        tags: team
            .map(|team| ("team".to_owned(), team.to_owned()))
            .into_iter()
            .collect(),
        priority,
        created_at,
    }
}

fn ids(granted: Vec<RunId>) -> Vec<String> {
    granted.into_iter().map(RunId::into_string).collect()
}

fn limits(max_concurrent_runs: i64, tags: &[TagLimit]) -> QueueLimits {
    QueueLimits {
        max_concurrent_runs,
        tag_concurrency_limits: tags.to_vec(),
    }
}

fn of_team(value: Option<TagValue>, limit: u32) -> TagLimit {
    TagLimit {
        key: "team".to_owned(),
        value,
        limit,
    }
}

fn each() -> Option<TagValue> {
    Some(TagValue::Each(EachValue {
        apply_limit_per_unique_value: true,
    }))
}

fn queue() -> Vec<SlotRun> {
    vec![
        run("a1", 0, 0, Some("a")),
        run("a2", 0, 1, Some("a")),
        run("b1", 0, 2, Some("b")),
        run("b2", 0, 3, Some("b")),
        run("none", 0, 4, None),
    ]
}

#[test]
fn priority_goes_before_age_and_no_more_start_than_there_are_slots() {
    let queued = vec![
        run("old", 0, 1, None),
        run("older", 0, 0, None),
        run("urgent", 5, 9, None),
    ];
    let granted = grant(&limits(3, &[]), &[run("live", 0, 0, None)], queued);
    assert_eq!(ids(granted), ["urgent", "older"]);
}

#[test]
fn zero_starts_nothing_and_minus_one_starts_all() {
    assert_eq!(ids(grant(&limits(0, &[]), &[], queue())), [""; 0]);
    assert_eq!(grant(&limits(UNLIMITED, &[]), &queue(), queue()).len(), 5);
}

#[test]
fn a_tag_limit_holds_back_its_own_runs_only() {
    let granted = |value| ids(grant(&limits(9, &[of_team(value, 1)]), &[], queue()));
    let a = Some(TagValue::Is("a".to_owned()));
    assert_eq!(granted(a), ["a1", "b1", "b2", "none"]);
    assert_eq!(granted(None), ["a1", "none"]);
    assert_eq!(granted(each()), ["a1", "b1", "none"]);
    let together = TagValue::Each(EachValue {
        apply_limit_per_unique_value: false,
    });
    assert_eq!(granted(Some(together)), ["a1", "none"]);
}

#[test]
fn a_run_counts_under_every_limit_that_concerns_it() {
    let a = of_team(Some(TagValue::Is("a".to_owned())), 2);
    let granted = grant(&limits(9, &[of_team(None, 3), a]), &[], queue());
    assert_eq!(ids(granted), ["a1", "a2", "b1", "none"]);
    let live = [run("live", 0, 0, Some("b"))];
    let granted = grant(&limits(9, &[of_team(each(), 1)]), &live, queue());
    assert_eq!(ids(granted), ["a1", "none"]);
}

#[test]
fn limits_read_as_the_replaced_deployment_wrote_them() {
    let text = r#"{"max_concurrent_runs": -1, "tag_concurrency_limits": [
        {"key": "team", "limit": 2}, {"key": "team", "value": "risk", "limit": 1},
        {"key": "customer", "value": {"applyLimitPerUniqueValue": true}, "limit": 1}]}"#;
    let read: QueueLimits = serde_json::from_str(text).unwrap();
    assert_eq!(read.tag_concurrency_limits[2].value, each());
    let again = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<QueueLimits>(&again).unwrap(), read);
    let wrong = text.replace("applyLimitPerUniqueValue", "perValue");
    let error = serde_json::from_str::<QueueLimits>(&wrong).unwrap_err();
    assert!(
        error.to_string().contains("applyLimitPerUniqueValue"),
        "{error}"
    );
}

fn any_run(kind: &'static str) -> impl Strategy<Value = Vec<SlotRun>> {
    let tags = proptest::collection::btree_map("[kl]", "[xyz]", 0..3);
    let one = (tags, -2..3_i32, 0..20_i64);
    proptest::collection::vec(one, 0..12).prop_map(move |runs| {
        let named = runs.into_iter().enumerate();
        named
            .map(|(n, (tags, priority, created_at))| SlotRun {
                run_id: format!("{kind}-{n}").parse().unwrap(),
                tags,
                priority,
                created_at,
            })
            .collect()
    })
}

fn any_limits() -> impl Strategy<Value = QueueLimits> {
    let value = prop_oneof![
        Just(None),
        "[xyz]".prop_map(|value| Some(TagValue::Is(value))),
        any::<bool>().prop_map(|apply_limit_per_unique_value| {
            Some(TagValue::Each(EachValue {
                apply_limit_per_unique_value,
            }))
        }),
    ];
    let limit =
        ("[kl]", value, 0..4_u32).prop_map(|(key, value, limit)| TagLimit { key, value, limit });
    (-1..8_i64, proptest::collection::vec(limit, 0..4)).prop_map(|(most, tags)| QueueLimits {
        max_concurrent_runs: most,
        tag_concurrency_limits: tags,
    })
}

/// Runs under each limit, counted the slow way: per value where the limit says so.
fn counts(limits: &QueueLimits, runs: &[SlotRun]) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (at, limit) in limits.tag_concurrency_limits.iter().enumerate() {
        for value in ["x", "y", "z"] {
            let concerned = |wanted: &str| {
                let has = |run: &&SlotRun| run.tags.get(&limit.key).is_some_and(|v| v == wanted);
                runs.iter().filter(has).count()
            };
            let any = || ["x", "y", "z"].map(concerned).iter().sum();
            let count = match &limit.value {
                Some(TagValue::Is(only)) if only == value => concerned(value),
                Some(TagValue::Is(_)) => 0,
                Some(TagValue::Each(each)) if each.apply_limit_per_unique_value => concerned(value),
                Some(TagValue::Each(_)) | None => any(),
            };
            found.push((at, value.to_owned(), count));
        }
    }
    found
}

/// Whether one more run would go past a limit.
fn fits(limits: &QueueLimits, running: &[SlotRun], run: &SlotRun) -> bool {
    let with: Vec<_> = running.iter().chain([run]).cloned().collect();
    let slots = limits.max_concurrent_runs;
    let slot = slots == UNLIMITED || with.len() as i64 <= slots;
    let grown = counts(limits, running)
        .into_iter()
        .zip(counts(limits, &with))
        .filter(|(before, after)| before.2 != after.2);
    let mut grown = grown.map(|(_, (at, _, count))| (at, count));
    slot && grown.all(|(at, count)| count <= limits.tag_concurrency_limits[at].limit as usize)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_limit_is_passed_and_nobody_is_held_back_without_one(
        limits in any_limits(),
        holding in any_run("live"),
        queued in any_run("queued"),
    ) {
        let granted = grant(&limits, &holding, queued.clone());
        // In order, one after the other: a run starts exactly when it fits beside those that started before it. So no
        // limit is passed, and a run that is held back takes nothing from those behind it.
        let mut order = queued;
        order.sort_by_key(|run| (-run.priority, run.created_at, run.run_id.clone()));
        let mut running = holding;
        for run in order {
            let fits = fits(&limits, &running, &run);
            prop_assert_eq!(granted.contains(&run.run_id), fits, "{:?}", run);
            if fits {
                running.push(run);
            }
        }
        // Nothing is left that could start.
        let none = grant(&limits, &running, Vec::new());
        prop_assert_eq!(none, Vec::<RunId>::new());
    }

    #[test]
    fn runs_start_in_order_of_priority_and_age_whatever_order_they_are_given_in(
        limits in any_limits(),
        queued in any_run("queued"),
    ) {
        let granted = grant(&limits, &[], queued.clone());
        let mut backwards = queued.clone();
        backwards.reverse();
        prop_assert_eq!(&granted, &grant(&limits, &[], backwards));
        let rank = |id: &RunId| {
            let run = queued.iter().find(|run| &run.run_id == id).unwrap();
            (-run.priority, run.created_at)
        };
        prop_assert!(granted.windows(2).all(|pair| rank(&pair[0]) <= rank(&pair[1])));
    }
}
