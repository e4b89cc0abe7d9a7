//! The supply chain as arrays: compressed sparse rows in both directions, and degrees that count every relationship.
//!
//! Vertices are relabelled for locality (see `order`), so that parties near each other in the chain share cache lines
//! and blocks of sources; `label` and `party` translate.

use super::order;

/// Neighbours of each vertex, ascending and distinct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Csr {
    offsets: Vec<usize>,
    neighbours: Vec<u32>,
}

impl Csr {
    /// `edges` are distinct and lie within `0..vertices`. Counting sort: linear, and stable in the edges' order.
    fn new(vertices: usize, edges: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut offsets = vec![0_usize; vertices + 1];
        for (from, _) in edges.clone() {
            offsets[from as usize + 1] += 1;
        }
        for vertex in 0..vertices {
            offsets[vertex + 1] += offsets[vertex];
        }
        let mut cursor = offsets.clone();
        let mut neighbours = vec![0; offsets[vertices]];
        for (from, to) in edges {
            let slot = &mut cursor[from as usize];
            neighbours[*slot] = to;
            *slot += 1;
        }
        Self {
            offsets,
            neighbours,
        }
    }

    pub(crate) fn neighbours(&self, vertex: u32) -> &[u32] {
        let vertex = vertex as usize;
        &self.neighbours[self.offsets[vertex]..self.offsets[vertex + 1]]
    }

    pub(crate) fn degree(&self, vertex: u32) -> usize {
        let vertex = vertex as usize;
        self.offsets[vertex + 1] - self.offsets[vertex]
    }

    pub(crate) fn vertices(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn edges(&self) -> usize {
        self.neighbours.len()
    }
}

/// A relationship names a party that the batch does not hold; ingestion rejects such records, so the inputs disagree.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a relationship joins ordinals {from} and {to}, but the batch holds {parties} parties; ingest the batch again"
)]
pub(crate) struct UnknownParty {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) parties: u32,
}

/// Relationships of one batch, as established by the as-of time.
#[derive(Debug)]
pub(crate) struct Graph {
    /// Along from → to: downstream.
    pub(crate) downstream: Csr,
    pub(crate) upstream: Csr,
    labels: Vec<u32>,
    in_degrees: Vec<u32>,
    out_degrees: Vec<u32>,
}

impl Graph {
    /// One entry of `relationships` per row: several types between one pair are several entries. They are all counted
    /// in degrees and make one edge for reach.
    pub(crate) fn new(
        parties: u32,
        mut relationships: Vec<(u32, u32)>,
    ) -> Result<Self, UnknownParty> {
        let vertices = parties as usize;
        let mut in_degrees = vec![0_u32; vertices];
        let mut out_degrees = vec![0_u32; vertices];
        for &(from, to) in &relationships {
            if from.max(to) >= parties {
                return Err(UnknownParty { from, to, parties });
            }
            out_degrees[from as usize] += 1;
            in_degrees[to as usize] += 1;
        }
        relationships.sort_unstable();
        relationships.dedup();
        let labels = order::labels(
            &Csr::new(vertices, relationships.iter().copied()),
            &Csr::new(vertices, relationships.iter().map(|&(from, to)| (to, from))),
        );
        for (from, to) in &mut relationships {
            (*from, *to) = (labels[*from as usize], labels[*to as usize]);
        }
        relationships.sort_unstable();
        Ok(Self {
            downstream: Csr::new(vertices, relationships.iter().copied()),
            upstream: Csr::new(vertices, relationships.iter().map(|&(from, to)| (to, from))),
            labels,
            in_degrees,
            out_degrees,
        })
    }

    /// The vertex that stands for a party.
    pub(crate) fn vertex(&self, party: u32) -> u32 {
        self.labels[party as usize]
    }

    pub(crate) fn vertices(&self) -> usize {
        self.downstream.vertices()
    }

    /// Distinct pairs: what reach walks along.
    pub(crate) fn edges(&self) -> usize {
        self.downstream.edges()
    }

    /// Relationships into a party: its suppliers.
    pub(crate) fn in_degree(&self, party: u32) -> u32 {
        self.in_degrees[party as usize]
    }

    /// Relationships out of a party: its customers.
    pub(crate) fn out_degree(&self, party: u32) -> u32 {
        self.out_degrees[party as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_types_between_one_pair_are_two_for_degrees_and_one_edge_for_reach() {
        let graph = Graph::new(3, vec![(0, 1), (0, 1), (1, 2)]).unwrap();
        assert_eq!(graph.edges(), 2);
        assert_eq!((graph.out_degree(0), graph.in_degree(0)), (2, 0));
        assert_eq!((graph.out_degree(1), graph.in_degree(1)), (1, 2));
        assert_eq!(
            graph.downstream.neighbours(graph.vertex(0)),
            [graph.vertex(1)]
        );
        assert_eq!(
            graph.upstream.neighbours(graph.vertex(2)),
            [graph.vertex(1)]
        );
    }

    #[test]
    fn a_relationship_with_an_unknown_party_is_named() {
        let error = Graph::new(2, vec![(0, 1), (1, 2)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a relationship joins ordinals 1 and 2, but the batch holds 2 parties; ingest the batch again"
        );
    }

    #[test]
    fn a_batch_without_relationships_has_only_vertices() {
        let graph = Graph::new(4, vec![]).unwrap();
        assert_eq!((graph.vertices(), graph.edges()), (4, 0));
        assert_eq!(Graph::new(0, vec![]).unwrap().vertices(), 0);
    }
}
