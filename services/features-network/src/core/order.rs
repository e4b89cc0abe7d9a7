//! Labels for locality: breadth-first over the undirected graph, so that neighbours get labels close to each other.
//!
//! Blocks of sources are cut from consecutive labels. Sources whose reach overlaps then walk the shared part once, and
//! their state lies together in memory. Labels change speed only, never a result.

use super::graph::Csr;
use std::collections::VecDeque;

/// The label of each vertex; a permutation of `0..vertices`. Isolated vertices come last, as they never move.
pub(crate) fn labels(downstream: &Csr, upstream: &Csr) -> Vec<u32> {
    const UNLABELLED: u32 = u32::MAX;
    let vertices = downstream.vertices();
    let mut labels = vec![UNLABELLED; vertices];
    let mut next_label = 0;
    let mut queue = VecDeque::new();
    let isolated = |v: u32| downstream.degree(v) == 0 && upstream.degree(v) == 0;
    let all = || (0..vertices).map(|v| v as u32);

    for root in all().filter(|&v| !isolated(v)) {
        if labels[root as usize] != UNLABELLED {
            continue;
        }
        labels[root as usize] = next_label;
        next_label += 1;
        queue.push_back(root);
        while let Some(vertex) = queue.pop_front() {
            let around = [downstream.neighbours(vertex), upstream.neighbours(vertex)];
            for &neighbour in around.into_iter().flatten() {
                if labels[neighbour as usize] == UNLABELLED {
                    labels[neighbour as usize] = next_label;
                    next_label += 1;
                    queue.push_back(neighbour);
                }
            }
        }
    }
    for vertex in all().filter(|&v| isolated(v)) {
        labels[vertex as usize] = next_label;
        next_label += 1;
    }
    labels
}
