-- How a party trades, in the 180 days up to and including $as_of: one row per party.
--
-- parties        the batch's parties, a range of ordinals of them
-- transactions   theirs, sorted by (party_ord, ts)
-- $as_of         the instant that features are computed for
-- $window_start  180 days before it; both ends belong to the window
-- $recent_start  30 days before it
-- $month_0 … $month_5  first instants of the UTC calendar months at the end of the window: $month_0 of the month that
--                $as_of lies in, $month_1 of the one before. 180 days touch seven months at most, so what lies before
--                $month_5 is of one month.
--
-- Amounts are DECIMAL: their sums do not depend on the order of the rows. Floats are only computed within a row.

WITH traded AS (
    SELECT
        party_ord,
        count(*) AS transactions,
        sum(amount) AS volume,
        max(ts) AS latest,

        -- Distinct types; ingestion admits these three.
        max(CASE WHEN txn_type = 'invoice' THEN 1 ELSE 0 END)
            + max(CASE WHEN txn_type = 'payment' THEN 1 ELSE 0 END)
            + max(CASE WHEN txn_type = 'credit_note' THEN 1 ELSE 0 END) AS types,

        -- Sum of each calendar month; NULL for a month without transactions.
        sum(amount) FILTER (WHERE ts >= $month_0) AS sum_0,
        sum(amount) FILTER (WHERE ts >= $month_1 AND ts < $month_0) AS sum_1,
        sum(amount) FILTER (WHERE ts >= $month_2 AND ts < $month_1) AS sum_2,
        sum(amount) FILTER (WHERE ts >= $month_3 AND ts < $month_2) AS sum_3,
        sum(amount) FILTER (WHERE ts >= $month_4 AND ts < $month_3) AS sum_4,
        sum(amount) FILTER (WHERE ts >= $month_5 AND ts < $month_4) AS sum_5,
        sum(amount) FILTER (WHERE ts < $month_5) AS sum_6
    FROM transactions
    WHERE ts >= $window_start AND ts <= $as_of
    GROUP BY party_ord
),

monthly AS (
    SELECT
        *,
        CAST(volume AS DOUBLE) AS total,
        CASE WHEN sum_0 IS NULL THEN 0 ELSE 1 END
            + CASE WHEN sum_1 IS NULL THEN 0 ELSE 1 END
            + CASE WHEN sum_2 IS NULL THEN 0 ELSE 1 END
            + CASE WHEN sum_3 IS NULL THEN 0 ELSE 1 END
            + CASE WHEN sum_4 IS NULL THEN 0 ELSE 1 END
            + CASE WHEN sum_5 IS NULL THEN 0 ELSE 1 END
            + CASE WHEN sum_6 IS NULL THEN 0 ELSE 1 END AS months
    FROM traded
),

averaged AS (
    SELECT *, total / months AS month_mean
    FROM monthly
),

-- How far each month's sum lies from their mean; a month without transactions takes no part.
apart AS (
    SELECT
        *,
        coalesce(CAST(sum_0 AS DOUBLE) - month_mean, 0.0) AS apart_0,
        coalesce(CAST(sum_1 AS DOUBLE) - month_mean, 0.0) AS apart_1,
        coalesce(CAST(sum_2 AS DOUBLE) - month_mean, 0.0) AS apart_2,
        coalesce(CAST(sum_3 AS DOUBLE) - month_mean, 0.0) AS apart_3,
        coalesce(CAST(sum_4 AS DOUBLE) - month_mean, 0.0) AS apart_4,
        coalesce(CAST(sum_5 AS DOUBLE) - month_mean, 0.0) AS apart_5,
        coalesce(CAST(sum_6 AS DOUBLE) - month_mean, 0.0) AS apart_6
    FROM averaged
),

-- Population standard deviation of the months present, newest first: always added in this order.
spread AS (
    SELECT
        *,
        sqrt((apart_0 * apart_0 + apart_1 * apart_1 + apart_2 * apart_2 + apart_3 * apart_3
            + apart_4 * apart_4 + apart_5 * apart_5 + apart_6 * apart_6) / months) AS month_sd
    FROM apart
)

-- A party without transactions in the window has no row above, and zeros here.
SELECT
    parties.party_ord,
    parties.party_id,

    coalesce(CAST(transactions AS DOUBLE), 0.0) AS transaction_count_6m,
    coalesce(total / transactions, 0.0) AS avg_transaction_amount,
    coalesce(total, 0.0) AS total_transaction_volume_6m,

    -- How even the months are: 100 when all are equal, 0 when they differ by more than their mean.
    CASE
        WHEN months IS NULL THEN 0.0
        WHEN months = 1 THEN 50.0
        WHEN month_mean < 0.01 THEN 0.0
        WHEN month_sd >= month_mean THEN 0.0
        ELSE 100.0 * (1.0 - month_sd / month_mean)
    END AS transaction_regularity_score,

    coalesce(CAST(types AS DOUBLE), 0.0) AS payment_type_diversity,
    CASE WHEN latest >= $recent_start THEN 1.0 ELSE 0.0 END AS recent_activity_flag,
    coalesce(months, 0) AS months_present

FROM parties
LEFT JOIN spread ON spread.party_ord = parties.party_ord
ORDER BY parties.party_ord
