-- Outcomes of known parties; one per (party, kind, time), the last by (file, row).
WITH ranked AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY party_ord, kind, occurred_at
      ORDER BY file_no DESC, row_no DESC
    ) AS newest
  FROM staged_outcomes
  WHERE party_ord IS NOT NULL
    AND (batch_id IS NULL OR batch_id = $batch)
)
SELECT party_id, kind, will_default, days_past_due, occurred_at
FROM ranked
WHERE newest = 1
ORDER BY party_id, kind, occurred_at
