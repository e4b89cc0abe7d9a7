-- Transactions whose id a later record has too. Only ids with equal hashes are compared in full: two million texts need
-- not be sorted to find that none is there twice.
WITH known AS (
  SELECT file_no, row_no, id_hash, txn_id
  FROM staged_transactions
  WHERE ts <= $as_of
    AND party_ord IS NOT NULL
    AND (counterparty_ref IS NULL OR counterparty_ord IS NOT NULL)
),
suspects AS (
  SELECT id_hash FROM known GROUP BY id_hash HAVING count(*) > 1
),
ranked AS (
  SELECT
    known.file_no,
    known.row_no,
    row_number() OVER (PARTITION BY known.txn_id ORDER BY known.file_no DESC, known.row_no DESC) AS newest
  FROM suspects
  INNER JOIN known ON known.id_hash = suspects.id_hash
)
SELECT file_no, row_no
FROM ranked
WHERE newest > 1
ORDER BY file_no, row_no
