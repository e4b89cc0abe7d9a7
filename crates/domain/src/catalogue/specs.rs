//! The catalogue's rows. Data only; served by the API and shown in the console as it stands here.

use super::Direction::HigherIsBetter;
use super::Source::{Kyc, Network, Transaction};
use super::{FEATURE_COUNT, FeatureSpec};
use crate::scaling::Method;

const fn spec(
    name: &'static str,
    source: super::Source,
    unit: &'static str,
    definition: &'static str,
    (min, max): (Option<f64>, Option<f64>),
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
        direction: HigherIsBetter,
        scaling,
        reason_code,
        reason_when_low,
        reason_when_high,
    }
}

const FLAG: (Option<f64>, Option<f64>) = (Some(0.0), Some(1.0));
const PERCENT: (Option<f64>, Option<f64>) = (Some(0.0), Some(100.0));
const COUNT: (Option<f64>, Option<f64>) = (Some(0.0), None);
const ANY: (Option<f64>, Option<f64>) = (None, None);

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
    spec(
        "company_age_years",
        Kyc,
        "years",
        "whole days from the party's creation to the as-of time, never negative, divided by 365.25",
        COUNT,
        Method::Cap(5.0),
        (
            "COMPANY_AGE",
            "short time in business",
            "length of time in business",
        ),
    ),
    spec(
        "party_type_score",
        Kyc,
        "points",
        "manufacturer 10, distributor 8, supplier 7, retailer 6, any other type 5",
        (Some(5.0), Some(10.0)),
        Method::Cap(10.0),
        (
            "PARTY_TYPE",
            "type of business carries fewer points",
            "type of business",
        ),
    ),
    spec(
        "contact_completeness",
        Kyc,
        "percent",
        "25 for each of contact person, email, phone and address that is filled",
        PERCENT,
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
        ANY,
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
        ANY,
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
        (Some(0.0), Some(3.0)),
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
        (Some(0.0), Some(5.0)),
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
        (Some(1.0), None),
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
        COUNT,
        Method::Cap(1.0),
        (
            "NETWORK_BALANCE",
            "few customers in proportion to suppliers",
            "many customers in proportion to suppliers",
        ),
    ),
];
