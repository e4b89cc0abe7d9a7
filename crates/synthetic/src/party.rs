//! The kinds of party and the tiers of risk: the tables of numbers from which everything else follows.

/// A party's place in the supply chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Supplier,
    Manufacturer,
    Distributor,
    Retailer,
    Customer,
    Individual,
    Business,
}

pub(crate) const KINDS: [Kind; 7] = [
    Kind::Supplier,
    Kind::Manufacturer,
    Kind::Distributor,
    Kind::Retailer,
    Kind::Customer,
    Kind::Individual,
    Kind::Business,
];

/// Share of the population.
pub(crate) const KIND_SHARES: [(Kind, f64); 7] = [
    (Kind::Supplier, 0.20),
    (Kind::Manufacturer, 0.15),
    (Kind::Distributor, 0.15),
    (Kind::Retailer, 0.20),
    (Kind::Customer, 0.12),
    (Kind::Individual, 0.08),
    (Kind::Business, 0.10),
];

#[derive(Debug)]
pub(crate) struct KindFacts {
    pub(crate) name: &'static str,
    /// Added to the party's risk; small, so that the type alone tells little. Weighted by shares they cancel.
    pub(crate) risk_shift: f64,
    /// Median amount of a transaction.
    pub(crate) amount: f64,
    /// How readily it gains customers, compared with a supplier.
    pub(crate) reach: f64,
    /// Whom it sells to, with weights that sum to 1; empty at the end of the chain.
    pub(crate) sells_to: &'static [(Kind, f64)],
    pub(crate) relationship: &'static str,
}

impl Kind {
    pub(crate) fn facts(self) -> &'static KindFacts {
        match self {
            Self::Supplier => &KindFacts {
                name: "supplier",
                risk_shift: 0.0,
                amount: 4_200.0,
                reach: 1.0,
                sells_to: &[
                    (Self::Manufacturer, 0.8),
                    (Self::Supplier, 0.1),
                    (Self::Distributor, 0.1),
                ],
                relationship: "supplies_to",
            },
            Self::Manufacturer => &KindFacts {
                name: "manufacturer",
                risk_shift: -0.2,
                amount: 9_500.0,
                reach: 1.2,
                sells_to: &[
                    (Self::Distributor, 0.8),
                    (Self::Manufacturer, 0.1),
                    (Self::Retailer, 0.1),
                ],
                relationship: "manufactures_for",
            },
            Self::Distributor => &KindFacts {
                name: "distributor",
                risk_shift: -0.1,
                amount: 6_500.0,
                reach: 1.5,
                sells_to: &[
                    (Self::Retailer, 0.8),
                    (Self::Business, 0.12),
                    (Self::Distributor, 0.08),
                ],
                relationship: "distributes_for",
            },
            Self::Retailer => &KindFacts {
                name: "retailer",
                risk_shift: 0.05,
                amount: 1_800.0,
                reach: 1.3,
                sells_to: &[
                    (Self::Customer, 0.5),
                    (Self::Business, 0.25),
                    (Self::Individual, 0.25),
                ],
                relationship: "sells_to",
            },
            Self::Customer => &KindFacts {
                name: "customer",
                risk_shift: 0.1,
                amount: 450.0,
                reach: 0.0,
                sells_to: &[],
                relationship: "sells_to",
            },
            Self::Individual => &KindFacts {
                name: "individual",
                risk_shift: 0.15,
                amount: 160.0,
                reach: 0.0,
                sells_to: &[],
                relationship: "sells_to",
            },
            Self::Business => &KindFacts {
                name: "business",
                risk_shift: 0.0,
                amount: 1_300.0,
                reach: 0.3,
                sells_to: &[
                    (Self::Supplier, 0.5),
                    (Self::Business, 0.3),
                    (Self::Manufacturer, 0.2),
                ],
                relationship: "sells_to",
            },
        }
    }
}

/// The habits of a risk tier. Probabilities, unless the field says otherwise.
#[derive(Debug, PartialEq)]
pub(crate) struct Tier {
    pub(crate) kyc_verified: f64,
    pub(crate) tax_id: f64,
    pub(crate) registration_number: f64,
    /// For each of contact person, e-mail, phone and address.
    pub(crate) contact_field: f64,
    /// Has neither suppliers nor customers.
    pub(crate) isolated: f64,
    /// Mean days since its last transaction.
    pub(crate) silent_days: f64,
    /// That a transaction comes in a burst and not at its regular place.
    pub(crate) burst: f64,
    /// Standard deviation of the logarithm of its amounts.
    pub(crate) amount_spread: f64,
    pub(crate) credit_note: f64,
    /// That an invoice is paid late, and the days at most. None passes 90: nobody has defaulted before the as-of.
    pub(crate) late: f64,
    pub(crate) late_days: u64,
}

const EXCELLENT: Tier = Tier {
    kyc_verified: 0.96,
    tax_id: 0.96,
    registration_number: 0.95,
    contact_field: 0.96,
    isolated: 0.01,
    silent_days: 2.0,
    burst: 0.05,
    amount_spread: 0.3,
    credit_note: 0.03,
    late: 0.05,
    late_days: 10,
};

const GOOD: Tier = Tier {
    kyc_verified: 0.90,
    tax_id: 0.90,
    registration_number: 0.88,
    contact_field: 0.91,
    isolated: 0.02,
    silent_days: 5.0,
    burst: 0.15,
    amount_spread: 0.45,
    credit_note: 0.05,
    late: 0.12,
    late_days: 20,
};

const FAIR: Tier = Tier {
    kyc_verified: 0.75,
    tax_id: 0.77,
    registration_number: 0.72,
    contact_field: 0.80,
    isolated: 0.05,
    silent_days: 14.0,
    burst: 0.35,
    amount_spread: 0.65,
    credit_note: 0.08,
    late: 0.3,
    late_days: 45,
};

const POOR: Tier = Tier {
    kyc_verified: 0.50,
    tax_id: 0.56,
    registration_number: 0.5,
    contact_field: 0.62,
    isolated: 0.10,
    silent_days: 38.0,
    burst: 0.6,
    amount_spread: 0.9,
    credit_note: 0.12,
    late: 0.5,
    late_days: 90,
};

impl Tier {
    /// 15, 35, 35 and 15 % of a standard normal risk.
    pub(crate) fn of(risk: f64) -> &'static Self {
        const OUTER: f64 = 1.036_433;
        match risk {
            risk if risk < -OUTER => &EXCELLENT,
            risk if risk < 0.0 => &GOOD,
            risk if risk < OUTER => &FAIR,
            _ => &POOR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_routes_sum_to_one() {
        let shares: f64 = KIND_SHARES.iter().map(|(_, share)| share).sum();
        assert!((shares - 1.0).abs() < 1e-12);
        for kind in KINDS {
            let facts = kind.facts();
            let routes: f64 = facts.sells_to.iter().map(|(_, weight)| weight).sum();
            assert!(
                facts.sells_to.is_empty() || (routes - 1.0).abs() < 1e-12,
                "{}",
                facts.name
            );
            assert_eq!(
                facts.reach > 0.0,
                !facts.sells_to.is_empty(),
                "{}",
                facts.name
            );
        }
    }

    #[test]
    fn no_tier_pays_so_late_that_it_has_defaulted_already() {
        for risk in [-2.0, -0.5, 0.5, 2.0] {
            assert!(Tier::of(risk).late_days <= 90);
        }
    }
}
