-- Accounts whose id a later record has too.
WITH known AS (
  SELECT file_no, row_no, account_id
  FROM staged_accounts
  WHERE party_ord IS NOT NULL
),
doubled AS (
  SELECT account_id FROM known GROUP BY account_id HAVING count(*) > 1
),
ranked AS (
  SELECT
    known.file_no,
    known.row_no,
    row_number() OVER (PARTITION BY known.account_id ORDER BY known.file_no DESC, known.row_no DESC) AS newest
  FROM doubled
  INNER JOIN known ON known.account_id = doubled.account_id
)
SELECT file_no, row_no
FROM ranked
WHERE newest > 1
ORDER BY file_no, row_no
