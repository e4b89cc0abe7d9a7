//! Exact reach within five hops downstream, for many sources at once: bit-parallel multi-source breadth-first search
//! (Then et al., "The More the Merrier: Efficient Multi-Source Graph Traversal", VLDB 2014).
//!
//! Sources are cut into blocks; a block's sources are bits of a lane set that every vertex carries, so one walk over an
//! edge serves all of them. Blocks are independent: any number of workers and any block width give the same numbers.

mod block;
mod lanes;
mod plan;
#[cfg(test)]
mod tests;

use super::graph::Graph;
use block::Block;
use plan::Plan;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// How far downstream a party's network is followed.
pub(crate) const HOPS: u8 = 5;

/// Reach of a range of parties, in the order of their ordinals.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Distinct parties within five hops, the party itself included.
    pub(crate) sizes: Vec<u32>,
    /// Greatest distance, at most five, to any of them.
    pub(crate) depths: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReachError {
    #[error("network reach was cancelled")]
    Cancelled,
    #[error("cannot start {workers} threads for network reach")]
    Threads {
        workers: usize,
        source: rayon::ThreadPoolBuildError,
    },
}

/// What a long computation listens to and tells.
pub(crate) struct Watch<'a> {
    /// Looked at before each block.
    pub(crate) cancelled: &'a AtomicBool,
    /// Called after each block with sources done and sources in all.
    pub(crate) progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// What the computation may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) threads: usize,
    pub(crate) memory_bytes: usize,
}

/// Reach of the parties with ordinals in `parties`, over the whole graph.
pub(crate) fn reach(
    graph: &Graph,
    parties: Range<u32>,
    limits: Limits,
    watch: &Watch<'_>,
) -> Result<Reach, ReachError> {
    let sources = sources(graph, parties.clone());
    let plan = Plan::new(graph, &sources, limits.threads, limits.memory_bytes);
    reach_by_plan(graph, parties, &sources, plan, watch)
}

fn reach_by_plan(
    graph: &Graph,
    parties: Range<u32>,
    sources: &[Source],
    plan: Plan,
    watch: &Watch<'_>,
) -> Result<Reach, ReachError> {
    match plan.words {
        plan::WIDE => reach_in_blocks::<{ plan::WIDE }>(graph, parties, sources, plan, watch),
        _ => reach_in_blocks::<1>(graph, parties, sources, plan, watch),
    }
}

fn reach_in_blocks<const W: usize>(
    graph: &Graph,
    parties: Range<u32>,
    sources: &[Source],
    plan: Plan,
    watch: &Watch<'_>,
) -> Result<Reach, ReachError> {
    let first = parties.start;
    let blocks: Vec<&[Source]> = sources.chunks(W * 64).collect();
    let next_block = AtomicUsize::new(0);
    let sources_done = AtomicUsize::new(0);

    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(plan.workers)
        .thread_name(|worker| format!("network-reach-{worker}"))
        .build()
        .map_err(|source| ReachError::Threads {
            workers: plan.workers,
            source,
        })?;
    // Each worker owns one block's state and takes the next block when it is done, as blocks differ much in cost.
    let found = pool.broadcast(|_| {
        let mut state = Block::<W>::new(graph.vertices());
        let mut found = Vec::new();
        while !watch.cancelled.load(Ordering::Relaxed) {
            let Some(block) = blocks.get(next_block.fetch_add(1, Ordering::Relaxed)) else {
                break;
            };
            let vertices: Vec<u32> = block.iter().map(|source| source.vertex).collect();
            for (source, (size, depth)) in block.iter().zip(state.reach(graph, &vertices)) {
                found.push((source.party - first, size, depth));
            }
            let done = sources_done.fetch_add(block.len(), Ordering::Relaxed) + block.len();
            (watch.progress)(done as u64, sources.len() as u64);
        }
        found
    });
    if watch.cancelled.load(Ordering::Relaxed) {
        return Err(ReachError::Cancelled);
    }

    // A party without customers reaches itself alone.
    let mut reach = Reach {
        sizes: vec![1; parties.len()],
        depths: vec![0; parties.len()],
    };
    for (position, size, depth) in found.into_iter().flatten() {
        reach.sizes[position as usize] = size;
        reach.depths[position as usize] = depth;
    }
    Ok(reach)
}

#[derive(Clone, Copy)]
struct Source {
    vertex: u32,
    party: u32,
}

/// The parties that reach anyone, in the order of their labels, so that a block holds neighbours.
fn sources(graph: &Graph, parties: Range<u32>) -> Vec<Source> {
    let mut sources: Vec<Source> = parties
        .map(|party| Source {
            vertex: graph.vertex(party),
            party,
        })
        .filter(|source| graph.downstream.degree(source.vertex) > 0)
        .collect();
    sources.sort_unstable_by_key(|source| source.vertex);
    sources
}
