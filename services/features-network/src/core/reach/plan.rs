//! How wide blocks are and how many workers run them: as fast as the graph's shape and the memory granted allow.

use super::block::{Block, STATE_BYTES_PER_WORD};
use super::{Graph, Source};

/// Words of the wide kernel: 256 sources a block.
pub(super) const WIDE: usize = 4;

/// Block width in words of 64 sources (1 or [`WIDE`]), and workers. Changes speed and memory only, never a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) words: usize,
    pub(crate) workers: usize,
}

impl Plan {
    /// Wide blocks pay where sources share most of their reach, as every step then serves four words at once. Where
    /// they do not, wide lane sets stay nearly empty and only cost bandwidth. One narrow block in the middle tells.
    pub(super) fn new(
        graph: &Graph,
        sources: &[Source],
        threads: usize,
        memory_bytes: usize,
    ) -> Self {
        // Too little memory makes more passes: fewer workers, and one at the least.
        let state_bytes = (graph.vertices() * STATE_BYTES_PER_WORD).max(1);
        let workers = (memory_bytes / state_bytes).clamp(1, threads.max(1));
        let narrow = Self { words: 1, workers };
        let wide = Self {
            words: WIDE,
            workers,
        };
        let fits = memory_bytes >= workers * WIDE * state_bytes;
        let enough_blocks = sources.len() >= 4 * workers * WIDE * 64;
        if !fits || !enough_blocks {
            return narrow;
        }
        let middle = sources.len() / 2;
        let probe: Vec<u32> = sources[middle..middle + 64]
            .iter()
            .map(|s| s.vertex)
            .collect();
        let mut block = Block::<1>::new(graph.vertices());
        block.reach(graph, &probe);
        if block.touched_last() * 2 >= graph.vertices() {
            wide
        } else {
            narrow
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reach::sources;

    const MIB: usize = 1 << 20;

    fn plan(edges: Vec<(u32, u32)>, threads: usize, memory_bytes: usize) -> Plan {
        let graph = Graph::new(10_000, edges).unwrap();
        Plan::new(&graph, &sources(&graph, 0..10_000), threads, memory_bytes)
    }

    /// Everybody reaches everybody within a few hops.
    fn shared() -> Vec<(u32, u32)> {
        (0..10_000)
            .flat_map(|i| (1..12).map(move |k| (i, (i * 31 + k * 997) % 10_000)))
            .collect()
    }

    fn chain() -> Vec<(u32, u32)> {
        (0..9_999).map(|i| (i, i + 1)).collect()
    }

    #[test]
    fn blocks_are_wide_where_sources_share_their_reach() {
        assert_eq!(
            plan(shared(), 2, 64 * MIB),
            Plan {
                words: WIDE,
                workers: 2
            }
        );
        assert_eq!(
            plan(chain(), 2, 64 * MIB),
            Plan {
                words: 1,
                workers: 2
            }
        );
    }

    #[test]
    fn little_memory_narrows_blocks_first_and_then_takes_workers_away() {
        assert_eq!(
            plan(shared(), 2, MIB),
            Plan {
                words: 1,
                workers: 2
            }
        );
        assert_eq!(
            plan(shared(), 2, MIB / 4),
            Plan {
                words: 1,
                workers: 1
            }
        );
        assert_eq!(
            plan(shared(), 2, 0),
            Plan {
                words: 1,
                workers: 1
            }
        );
    }

    #[test]
    fn few_sources_get_narrow_blocks() {
        assert_eq!(
            plan(vec![(0, 1)], 2, 64 * MIB),
            Plan {
                words: 1,
                workers: 2
            }
        );
        assert_eq!(
            plan(vec![], 0, 64 * MIB),
            Plan {
                words: 1,
                workers: 1
            }
        );
    }
}
