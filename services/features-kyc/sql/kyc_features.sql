-- What is known about a party itself, as of $as_of: one row per party.
--
-- parties   the batch's parties, a range of ordinals of them
-- $as_of    the instant that features are computed for

SELECT
    party_ord,
    party_id,

    -- 1 if the party's identity has been verified.
    CASE WHEN kyc_verified THEN 1.0 ELSE 0.0 END AS kyc_verified,

    -- Whole days from creation to the as-of time, in years of 365.25 days. Times are microseconds as integers here, and
    -- integer division drops the begun day. A party created later than the as-of time has age 0.
    CASE
        WHEN created_at >= $as_of THEN 0.0
        ELSE CAST((CAST($as_of AS BIGINT) - CAST(created_at AS BIGINT)) / 86400000000 AS DOUBLE) / 365.25
    END AS company_age_years,

    CASE lower(party_type)
        WHEN 'manufacturer' THEN 10.0
        WHEN 'distributor' THEN 8.0
        WHEN 'supplier' THEN 7.0
        WHEN 'retailer' THEN 6.0
        ELSE 5.0
    END AS party_type_score,

    -- A quarter for each way to reach the party. Blank is not filled, nor is NULL.
    CASE WHEN trim(contact_person) <> '' THEN 25.0 ELSE 0.0 END
        + CASE WHEN trim(email) <> '' THEN 25.0 ELSE 0.0 END
        + CASE WHEN trim(phone) <> '' THEN 25.0 ELSE 0.0 END
        + CASE WHEN trim(address) <> '' THEN 25.0 ELSE 0.0 END AS contact_completeness,

    CASE WHEN trim(tax_id) <> '' THEN 1.0 ELSE 0.0 END AS has_tax_id

FROM parties
ORDER BY party_ord
