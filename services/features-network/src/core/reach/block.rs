//! One block of sources: the state of a bit-parallel breadth-first search, reused from block to block.
//!
//! ```text
//!  hop h:  frontier ──push or pull──▶ next ──minus seen──▶ frontier of hop h + 1
//! ```

use super::HOPS;
use super::lanes::{self, LaneCounters, Lanes};
use crate::core::graph::Graph;

/// Bytes of state per vertex and lane word: seen, frontier and next.
pub(super) const STATE_BYTES_PER_WORD: usize = 3 * size_of::<u64>();

/// Between blocks every lane set is empty and every list too.
pub(super) struct Block<const W: usize> {
    /// Sources that have reached a vertex.
    seen: Vec<Lanes<W>>,
    /// Sources that reached it with the last hop.
    frontier: Vec<Lanes<W>>,
    next: Vec<Lanes<W>>,
    /// Vertices with a frontier.
    active: Vec<u32>,
    /// Vertices with a next.
    candidates: Vec<u32>,
    /// Vertices that any source has seen: what must be counted and emptied at the end.
    touched: Vec<u32>,
    touched_last: usize,
}

impl<const W: usize> Block<W> {
    pub(super) fn new(vertices: usize) -> Self {
        Self {
            seen: vec![lanes::none(); vertices],
            frontier: vec![lanes::none(); vertices],
            next: vec![lanes::none(); vertices],
            active: Vec::new(),
            candidates: Vec::new(),
            touched: Vec::new(),
            touched_last: 0,
        }
    }

    /// How many vertices the last block's sources reached together.
    pub(super) fn touched_last(&self) -> usize {
        self.touched_last
    }

    /// Size and depth of each source's reach. At most `W * 64` sources, distinct.
    pub(super) fn reach(&mut self, graph: &Graph, sources: &[u32]) -> Vec<(u32, u8)> {
        for (lane, &source) in sources.iter().enumerate() {
            lanes::insert(&mut self.seen[source as usize], lane);
            lanes::insert(&mut self.frontier[source as usize], lane);
            self.active.push(source);
            self.touched.push(source);
        }
        let all = lanes::first(sources.len());
        let mut depths = vec![0; sources.len()];
        for hop in 1..=HOPS {
            if self.pull_is_cheaper(graph) {
                self.pull(graph, &all);
            } else {
                self.push(graph);
            }
            let advanced = self.settle();
            if lanes::is_none(&advanced) {
                break;
            }
            for (lane, depth) in depths.iter_mut().enumerate() {
                if lanes::contains(&advanced, lane) {
                    *depth = hop;
                }
            }
        }
        let sizes = self.count_and_clear();
        depths
            .into_iter()
            .enumerate()
            .map(|(lane, depth)| (sizes.count(lane), depth))
            .collect()
    }

    /// Pushing costs the edges out of the frontier, each a write at random. Pulling reads the edges into every vertex
    /// that some source has not seen, and stops early where all have arrived: about half as dear per edge.
    fn pull_is_cheaper(&self, graph: &Graph) -> bool {
        let pushed: usize = self
            .active
            .iter()
            .map(|&vertex| graph.downstream.degree(vertex))
            .sum();
        pushed * 2 > graph.edges() + graph.vertices()
    }

    /// From each vertex of the frontier to its customers.
    fn push(&mut self, graph: &Graph) {
        for &vertex in &self.active {
            let frontier = self.frontier[vertex as usize];
            for &customer in graph.downstream.neighbours(vertex) {
                let next = &mut self.next[customer as usize];
                if lanes::is_none(next) {
                    self.candidates.push(customer);
                }
                lanes::add(next, &frontier);
            }
        }
    }

    /// To each vertex that some source has not seen, from its suppliers.
    fn pull(&mut self, graph: &Graph, all: &Lanes<W>) {
        for (vertex, seen) in self.seen.iter().enumerate() {
            let wanted = lanes::less(all, seen);
            if lanes::is_none(&wanted) {
                continue;
            }
            let mut arrived = lanes::none();
            for &supplier in graph.upstream.neighbours(vertex as u32) {
                lanes::add(&mut arrived, &self.frontier[supplier as usize]);
                if lanes::is_none(&lanes::less(&wanted, &arrived)) {
                    break;
                }
            }
            if !lanes::is_none(&arrived) {
                self.next[vertex] = arrived;
                self.candidates.push(vertex as u32);
            }
        }
    }

    /// Makes `next`, without what was seen before, the frontier. Returns the sources that reached anyone new.
    fn settle(&mut self) -> Lanes<W> {
        let mut advanced = lanes::none();
        let Self {
            seen,
            next,
            touched,
            ..
        } = self;
        self.candidates.retain(|&vertex| {
            let (seen, next) = (&mut seen[vertex as usize], &mut next[vertex as usize]);
            *next = lanes::less(next, seen);
            if lanes::is_none(next) {
                return false;
            }
            if lanes::is_none(seen) {
                touched.push(vertex);
            }
            lanes::add(seen, next);
            lanes::add(&mut advanced, next);
            true
        });
        for vertex in self.active.drain(..) {
            self.frontier[vertex as usize] = lanes::none();
        }
        std::mem::swap(&mut self.frontier, &mut self.next);
        std::mem::swap(&mut self.active, &mut self.candidates);
        advanced
    }

    fn count_and_clear(&mut self) -> LaneCounters<W> {
        let mut sizes = LaneCounters::new();
        self.touched_last = self.touched.len();
        for vertex in self.touched.drain(..) {
            sizes.add(&self.seen[vertex as usize]);
            self.seen[vertex as usize] = lanes::none();
        }
        for vertex in self.active.drain(..) {
            self.frontier[vertex as usize] = lanes::none();
        }
        sizes
    }
}
