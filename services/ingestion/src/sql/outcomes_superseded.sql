-- Outcomes that a later record has too: one stays per (party, kind, time).
WITH known AS (
  SELECT file_no, row_no, party_ord, kind, occurred_at
  FROM staged_outcomes
  WHERE party_ord IS NOT NULL
    AND (batch_id IS NULL OR batch_id = $batch)
),
doubled AS (
  SELECT party_ord, kind, occurred_at FROM known GROUP BY party_ord, kind, occurred_at HAVING count(*) > 1
),
ranked AS (
  SELECT
    known.file_no,
    known.row_no,
    row_number() OVER (
      PARTITION BY known.party_ord, known.kind, known.occurred_at
      ORDER BY known.file_no DESC, known.row_no DESC
    ) AS newest
  FROM doubled
  INNER JOIN known
    ON known.party_ord = doubled.party_ord
    AND known.kind = doubled.kind
    AND known.occurred_at IS NOT DISTINCT FROM doubled.occurred_at
)
SELECT file_no, row_no
FROM ranked
WHERE newest > 1
ORDER BY file_no, row_no
