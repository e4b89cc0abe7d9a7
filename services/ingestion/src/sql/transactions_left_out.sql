-- Transactions after the as-of are set aside first; of the rest, those that name a party that the batch does not have.
SELECT
  file_no,
  row_no,
  CASE WHEN ts > $as_of THEN 'FUTURE' ELSE 'UNKNOWN_PARTY' END AS code,
  CASE WHEN ts > $as_of THEN 'ts' WHEN party_ord IS NULL THEN 'party_id' ELSE 'counterparty_id' END AS field,
  CASE WHEN party_ord IS NULL THEN party_ref ELSE counterparty_ref END AS id
FROM staged_transactions
WHERE ts > $as_of
  OR party_ord IS NULL
  OR (counterparty_ref IS NOT NULL AND counterparty_ord IS NULL)
ORDER BY file_no, row_no
