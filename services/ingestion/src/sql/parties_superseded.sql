-- Parties whose id a later record has too.
WITH known AS (
  SELECT file_no, row_no, party_ref
  FROM staged_parties
  WHERE created_at <= $as_of
),
doubled AS (
  SELECT party_ref FROM known GROUP BY party_ref HAVING count(*) > 1
),
ranked AS (
  SELECT
    known.file_no,
    known.row_no,
    row_number() OVER (PARTITION BY known.party_ref ORDER BY known.file_no DESC, known.row_no DESC) AS newest
  FROM doubled
  INNER JOIN known ON known.party_ref = doubled.party_ref
)
SELECT file_no, row_no
FROM ranked
WHERE newest > 1
ORDER BY file_no, row_no
