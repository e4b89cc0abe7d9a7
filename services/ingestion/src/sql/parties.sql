-- The parties known at the as-of, without those that a later record replaces. A party's ordinal is its place in this
-- result, so the order is that of the ids' bytes.
SELECT
  t.party_ref, t.party_id, t.name, t.party_type, t.kyc_verified, t.tax_id, t.registration_number, t.contact_person,
  t.email, t.phone, t.address, t.created_at
FROM superseded_parties AS s
RIGHT ANTI JOIN staged_parties AS t ON s.file_no = t.file_no AND s.row_no = t.row_no
WHERE t.created_at <= $as_of
ORDER BY t.party_id
