-- Outcomes of known parties, without those that a later record replaces.
SELECT t.party_id, t.kind, t.will_default, t.days_past_due, t.occurred_at
FROM superseded_outcomes AS s
RIGHT ANTI JOIN staged_outcomes AS t ON s.file_no = t.file_no AND s.row_no = t.row_no
WHERE t.party_ord IS NOT NULL
  AND (t.batch_id IS NULL OR t.batch_id = $batch)
ORDER BY t.party_id, t.kind, t.occurred_at
