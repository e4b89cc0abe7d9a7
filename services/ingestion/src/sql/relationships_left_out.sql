-- Edges after the as-of are set aside first; of the rest, those with an end that the batch does not have, then loops.
SELECT
  file_no,
  row_no,
  CASE
    WHEN established_date > $as_of THEN 'FUTURE'
    WHEN from_ord IS NULL OR to_ord IS NULL THEN 'UNKNOWN_PARTY'
    ELSE 'SELF_LOOP'
  END AS code,
  CASE
    WHEN established_date > $as_of THEN 'established_date'
    WHEN from_ord IS NULL THEN 'from_party_id'
    ELSE 'to_party_id'
  END AS field,
  CASE WHEN from_ord IS NULL THEN from_ref ELSE to_ref END AS id
FROM staged_relationships
WHERE established_date > $as_of
  OR from_ord IS NULL
  OR to_ord IS NULL
  OR from_ord = to_ord
ORDER BY file_no, row_no
