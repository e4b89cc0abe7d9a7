//! The kernel against a plain breadth-first search per source, on named shapes and random graphs.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

/// Breadth-first search as a textbook has it.
fn reference(parties: u32, edges: &[(u32, u32)]) -> Reach {
    let mut customers = vec![Vec::new(); parties as usize];
    for &(from, to) in edges {
        customers[from as usize].push(to);
    }
    let of_one = |source: u32| {
        let mut distances = vec![None; parties as usize];
        distances[source as usize] = Some(0);
        let mut queue = VecDeque::from([source]);
        while let Some(party) = queue.pop_front() {
            let distance = distances[party as usize].unwrap();
            if distance == HOPS {
                continue;
            }
            for &customer in &customers[party as usize] {
                let slot = &mut distances[customer as usize];
                if slot.is_none() {
                    *slot = Some(distance + 1);
                    queue.push_back(customer);
                }
            }
        }
        let reached: Vec<u8> = distances.into_iter().flatten().collect();
        (reached.len() as u32, *reached.iter().max().unwrap())
    };
    let (sizes, depths) = (0..parties).map(of_one).unzip();
    Reach { sizes, depths }
}

fn kernel(parties: u32, edges: &[(u32, u32)], range: Range<u32>, plan: Plan) -> Reach {
    let graph = Graph::new(parties, edges.to_vec()).unwrap();
    let watch = Watch {
        cancelled: &AtomicBool::new(false),
        progress: &|done, total| assert!(done <= total),
    };
    let sources = sources(&graph, range.clone());
    reach_by_plan(&graph, range, &sources, plan, &watch).unwrap()
}

fn agrees_with_reference(parties: u32, edges: &[(u32, u32)]) {
    let expected = reference(parties, edges);
    for words in [1, plan::WIDE] {
        for workers in [1, 2] {
            let plan = Plan { words, workers };
            assert_eq!(
                kernel(parties, edges, 0..parties, plan),
                expected,
                "{plan:?}"
            );
        }
    }
}

#[test]
fn a_chain_is_followed_for_five_hops() {
    let chain: Vec<_> = (0..9).map(|i| (i, i + 1)).collect();
    let reach = kernel(
        10,
        &chain,
        0..10,
        Plan {
            words: 1,
            workers: 1,
        },
    );
    assert_eq!(reach.sizes, [6, 6, 6, 6, 6, 5, 4, 3, 2, 1]);
    assert_eq!(reach.depths, [5, 5, 5, 5, 5, 4, 3, 2, 1, 0]);
}

#[test]
fn a_cycle_counts_its_source_once() {
    let cycle = [(0, 1), (1, 2), (2, 0)];
    let reach = kernel(
        3,
        &cycle,
        0..3,
        Plan {
            words: 1,
            workers: 1,
        },
    );
    assert_eq!(reach.sizes, [3, 3, 3]);
    assert_eq!(reach.depths, [2, 2, 2]);
}

#[test]
fn a_pair_that_supplies_each_other_has_depth_one() {
    let reach = kernel(
        2,
        &[(0, 1), (1, 0)],
        0..2,
        Plan {
            words: 1,
            workers: 1,
        },
    );
    assert_eq!((reach.sizes, reach.depths), (vec![2, 2], vec![1, 1]));
}

#[test]
fn the_shortest_way_decides_the_depth() {
    // 0 → 1 → 2 → 3 and 0 → 3: party 3 is one hop away, so the deepest is 2 at two hops.
    let edges = [(0, 1), (1, 2), (2, 3), (0, 3)];
    let reach = kernel(
        4,
        &edges,
        0..1,
        Plan {
            words: 1,
            workers: 1,
        },
    );
    assert_eq!((reach.sizes, reach.depths), (vec![4], vec![2]));
}

#[test]
fn named_shapes_agree_with_the_reference() {
    let star_out: Vec<_> = (1..700).map(|i| (0, i)).collect();
    let star_in: Vec<_> = (1..700).map(|i| (i, 0)).collect();
    let through_hub: Vec<_> = (1..350)
        .map(|i| (i, 0))
        .chain((350..700).map(|i| (0, i)))
        .collect();
    let complete: Vec<_> = (0..40)
        .flat_map(|a| (0..40).filter(move |&b| a != b).map(move |b| (a, b)))
        .collect();
    let ring: Vec<_> = (0..600).map(|i| (i, (i + 1) % 600)).collect();
    let one_component: Vec<_> = (0..600)
        .flat_map(|i| [(i, (i + 1) % 600), (i, i * 7 % 600)])
        .filter(|(a, b)| a != b)
        .collect();
    agrees_with_reference(700, &star_out);
    agrees_with_reference(700, &star_in);
    agrees_with_reference(700, &through_hub);
    agrees_with_reference(40, &complete);
    agrees_with_reference(600, &ring);
    agrees_with_reference(600, &one_component);
    agrees_with_reference(5, &[]);
    agrees_with_reference(0, &[]);
}

#[test]
fn a_power_law_graph_agrees_with_the_reference() {
    // Preferential attachment by a fixed congruential sequence: a few hubs, many leaves.
    let (mut state, mut ends, mut edges) = (1_u64, vec![0_u32], Vec::new());
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for party in 1..1500_u32 {
        for _ in 0..2 {
            let other = ends[draw(ends.len())];
            edges.push(if draw(2) == 0 {
                (party, other)
            } else {
                (other, party)
            });
            ends.extend([party, other]);
        }
    }
    edges.retain(|(a, b)| a != b);
    agrees_with_reference(1500, &edges);
}

#[test]
fn a_range_of_parties_gets_the_same_reach_as_among_all() {
    let edges: Vec<_> = (0..500_u32)
        .map(|i| (i, i * 3 % 500))
        .filter(|(a, b)| a != b)
        .collect();
    let plan = Plan {
        words: 1,
        workers: 2,
    };
    let all = kernel(500, &edges, 0..500, plan);
    let some = kernel(500, &edges, 123..321, plan);
    assert_eq!(some.sizes, all.sizes[123..321]);
    assert_eq!(some.depths, all.depths[123..321]);
    assert!(kernel(500, &edges, 7..7, plan).sizes.is_empty());
}

#[test]
fn a_cancelled_reach_stops_before_its_next_block() {
    let edges: Vec<_> = (0..999).map(|i| (i, i + 1)).collect();
    let graph = Graph::new(1000, edges).unwrap();
    let cancelled = AtomicBool::new(false);
    let blocks = AtomicUsize::new(0);
    let watch = Watch {
        cancelled: &cancelled,
        progress: &|_, _| {
            blocks.fetch_add(1, Ordering::Relaxed);
            cancelled.store(true, Ordering::Relaxed);
        },
    };
    let limits = Limits {
        threads: 1,
        memory_bytes: 0,
    };
    let result = reach(&graph, 0..1000, limits, &watch);
    assert!(matches!(result, Err(ReachError::Cancelled)));
    assert_eq!(blocks.into_inner(), 1);
}

fn graphs() -> impl Strategy<Value = (u32, Vec<(u32, u32)>)> {
    (1..160_u32).prop_flat_map(|parties| {
        let edges = prop::collection::vec((0..parties, 0..parties), 0..400);
        (Just(parties), edges)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_graphs_agree_with_the_reference((parties, edges) in graphs()) {
        agrees_with_reference(parties, &edges);
    }
}
