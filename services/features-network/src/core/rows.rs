//! The six network features of a range of parties, as columns.

use super::graph::Graph;
use super::reach::Reach;
use std::ops::Range;

/// Columns in catalogue order, one row per party.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct NetworkColumns {
    pub(crate) direct_counterparty_count: Vec<f64>,
    pub(crate) network_depth_downstream: Vec<f64>,
    pub(crate) network_size: Vec<f64>,
    pub(crate) supplier_count: Vec<f64>,
    pub(crate) customer_count: Vec<f64>,
    pub(crate) network_balance_ratio: Vec<f64>,
}

/// Features of the parties with ordinals in `parties`, whose `reach` is given in the same order.
pub(crate) fn columns(graph: &Graph, parties: Range<u32>, reach: &Reach) -> NetworkColumns {
    let mut columns = NetworkColumns::default();
    for party in parties {
        let suppliers = f64::from(graph.in_degree(party));
        let customers = f64::from(graph.out_degree(party));
        columns
            .direct_counterparty_count
            .push(suppliers + customers);
        columns.supplier_count.push(suppliers);
        columns.customer_count.push(customers);
        columns
            .network_balance_ratio
            .push(customers / (suppliers + 1.0));
    }
    columns.network_depth_downstream = reach.depths.iter().map(|&hops| f64::from(hops)).collect();
    columns.network_size = reach.sizes.iter().map(|&size| f64::from(size)).collect();
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_and_balance_follow_their_definitions() {
        // 0 and 1 supply 2, 2 supplies 3 in two ways.
        let graph = Graph::new(4, vec![(0, 2), (1, 2), (2, 3), (2, 3)]).unwrap();
        let reach = Reach {
            sizes: vec![2, 1],
            depths: vec![1, 0],
        };
        let columns = columns(&graph, 2..4, &reach);
        assert_eq!(columns.direct_counterparty_count, [4.0, 2.0]);
        assert_eq!(columns.supplier_count, [2.0, 2.0]);
        assert_eq!(columns.customer_count, [2.0, 0.0]);
        assert_eq!(columns.network_balance_ratio, [2.0 / 3.0, 0.0]);
        assert_eq!(columns.network_size, [2.0, 1.0]);
        assert_eq!(columns.network_depth_downstream, [1.0, 0.0]);
    }
}
