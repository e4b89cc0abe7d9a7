-- The parties known at the as-of: of several records with one id, the last by (file, row). A party's ordinal is its
-- place in this result, so the order is that of the ids' bytes.
WITH ranked AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY party_id ORDER BY file_no DESC, row_no DESC) AS newest
  FROM staged_parties
  WHERE created_at <= $as_of
)
SELECT
  party_ref, party_id, name, party_type, kyc_verified, tax_id, registration_number, contact_person, email, phone, address,
  created_at
FROM ranked
WHERE newest = 1
ORDER BY party_id
