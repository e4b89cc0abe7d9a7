//! The catalogue's rows. Data only; served by the API and shown in the console as it stands here.

use super::Direction::HigherIsBetter;
use super::Source::{Kyc, Network, Transaction};
use super::Values::{self, Listed, Steps};
use super::{FEATURE_COUNT, FeatureSpec};
use crate::scaling::Method;

const fn spec(
    name: &'static str,
    source: super::Source,
    unit: &'static str,
    definition: &'static str,
    (min, max, values): Range,
    scaling: Method,
    (reason_code, reason_when_low, reason_when_high): (&'static str, &'static str, &'static str),
) -> FeatureSpec {
    FeatureSpec {
        name,
        source,
        unit,
        definition,
        min,
        max,
        values,
        actionable: true,
        direction: HigherIsBetter,
        scaling,
        reason_code,
        reason_when_low,
        reason_when_high,
    }
}

/// A feature that a party cannot change by what it does.
const fn given(spec: FeatureSpec) -> FeatureSpec {
    FeatureSpec {
        actionable: false,
        ..spec
    }
}

/// Least and greatest value, and which there are between them.
type Range = (Option<f64>, Option<f64>, Values);

const FLAG: Range = (Some(0.0), Some(1.0), Listed(&[0.0, 1.0]));
const PERCENT: Range = (Some(0.0), Some(100.0), HUNDREDTHS);
const COUNT: Range = (Some(0.0), None, WHOLE);
/// Signed amounts of money.
const AMOUNT: Range = (None, None, HUNDREDTHS);

const WHOLE: Values = Steps { per_unit: 1.0 };
const HUNDREDTHS: Values = Steps { per_unit: 100.0 };
const DAYS_OF_YEARS: Values = Steps { per_unit: 365.25 };
const QUARTERS: Values = Listed(&[0.0, 25.0, 50.0, 75.0, 100.0]);
const PARTY_TYPES: Values = Listed(&[5.0, 6.0, 7.0, 8.0, 10.0]);

/// Every feature, in the order of every row.
pub const FEATURES: &[FeatureSpec; FEATURE_COUNT] = &[
    spec(
        "kyc_verified",
        Kyc,
        "flag",
        "1 if the party's identity has been verified, else 0",
        FLAG,
        Method::Flag,
        (
            "KYC_VERIFICATION",
            "identity verification is not complete",
            "identity verification status",
        ),
    ),
    given(spec(
        "company_age_years",
        Kyc,
        "years",
        "whole days from the party's creation to the as-of time, never negative, divided by 365.25",
        (Some(0.0), None, DAYS_OF_YEARS),
        Method::Cap(5.0),
        (
            "COMPANY_AGE",
            "short time in business",
            "length of time in business",
        ),
    )),
    given(spec(
        "party_type_score",
        Kyc,
        "points",
        "manufacturer 10, distributor 8, supplier 7, retailer 6, any other type 5",
        (Some(5.0), Some(10.0), PARTY_TYPES),
        Method::Cap(10.0),
        (
            "PARTY_TYPE",
            "type of business carries fewer points",
            "type of business",
        ),
    )),
    spec(
        "contact_completeness",
        Kyc,
        "percent",
        "25 for each of contact person, email, phone and address that is filled",
        (Some(0.0), Some(100.0), QUARTERS),
        Method::Percent,
        (
            "CONTACT_DETAILS",
            "contact details are incomplete",
            "contact details on file",
        ),
    ),
    spec(
        "has_tax_id",
        Kyc,
        "flag",
        "1 if a tax id is on file, else 0",
        FLAG,
        Method::Flag,
        (
            "TAX_ID",
            "no tax identification on file",
            "tax identification status",
        ),
    ),
    spec(
        "transaction_count_6m",
        Transaction,
        "transactions",
        "transactions in the 180 days up to the as-of time",
        COUNT,
        Method::Cap(50.0),
        (
            "TRANSACTION_COUNT",
            "few transactions in the last six months",
            "many transactions in the last six months",
        ),
    ),
    spec(
        "avg_transaction_amount",
        Transaction,
        "currency",
        "mean of the signed amounts in the 180 days up to the as-of time, 0 if there are none",
        AMOUNT,
        Method::Log(100_000.0),
        (
            "TRANSACTION_AMOUNT",
            "low average transaction amount",
            "high average transaction amount",
        ),
    ),
    spec(
        "total_transaction_volume_6m",
        Transaction,
        "currency",
        "sum of the signed amounts in the 180 days up to the as-of time",
        AMOUNT,
        Method::Log(1_000_000.0),
        (
            "TRANSACTION_VOLUME",
            "low transaction volume in the last six months",
            "high transaction volume in the last six months",
        ),
    ),
    spec(
        "transaction_regularity_score",
        Transaction,
        "percent",
        "evenness of the monthly sums in the window: 100 × (1 − min(population sd / mean, 1)); 50 for a single month, \
         0 for none or a mean below 0.01",
        PERCENT,
        Method::Percent,
        (
            "TRANSACTION_REGULARITY",
            "irregular transaction activity from month to month",
            "pattern of transaction activity from month to month",
        ),
    ),
    spec(
        "payment_type_diversity",
        Transaction,
        "types",
        "distinct transaction types in the window",
        (Some(0.0), Some(3.0), WHOLE),
        Method::Cap(3.0),
        (
            "PAYMENT_TYPES",
            "few kinds of transaction",
            "many kinds of transaction",
        ),
    ),
    spec(
        "recent_activity_flag",
        Transaction,
        "flag",
        "1 if there is any transaction in the 30 days up to the as-of time, else 0",
        FLAG,
        Method::Flag,
        (
            "RECENT_ACTIVITY",
            "no transaction in the last 30 days",
            "transactions in the last 30 days",
        ),
    ),
    spec(
        "direct_counterparty_count",
        Network,
        "relationships",
        "relationships into and out of the party that were established by the as-of time",
        COUNT,
        Method::Cap(10.0),
        (
            "COUNTERPARTIES",
            "few direct business relationships",
            "many direct business relationships",
        ),
    ),
    spec(
        "network_depth_downstream",
        Network,
        "hops",
        "greatest distance, at most 5, to a party reached along outgoing relationships",
        (Some(0.0), Some(5.0), WHOLE),
        Method::Cap(5.0),
        (
            "NETWORK_DEPTH",
            "short downstream supply chain",
            "long downstream supply chain",
        ),
    ),
    spec(
        "network_size",
        Network,
        "parties",
        "distinct parties within 5 hops along outgoing relationships, the party itself included",
        (Some(1.0), None, WHOLE),
        Method::Cap(20.0),
        (
            "NETWORK_SIZE",
            "small business network",
            "large business network",
        ),
    ),
    spec(
        "supplier_count",
        Network,
        "relationships",
        "relationships into the party",
        COUNT,
        Method::Cap(5.0),
        ("SUPPLIERS", "few suppliers", "many suppliers"),
    ),
    spec(
        "customer_count",
        Network,
        "relationships",
        "relationships out of the party",
        COUNT,
        Method::Cap(5.0),
        ("CUSTOMERS", "few customers", "many customers"),
    ),
    spec(
        "network_balance_ratio",
        Network,
        "ratio",
        "relationships out of the party divided by one more than the relationships into it",
        (Some(0.0), None, HUNDREDTHS),
        Method::Cap(1.0),
        (
            "NETWORK_BALANCE",
            "few customers in proportion to suppliers",
            "many customers in proportion to suppliers",
        ),
    ),
];
