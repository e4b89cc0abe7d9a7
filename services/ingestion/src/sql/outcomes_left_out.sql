-- Outcomes of another batch, or of parties that this one does not have.
SELECT
  file_no,
  row_no,
  CASE WHEN batch_id <> $batch THEN 'OTHER_BATCH' ELSE 'UNKNOWN_PARTY' END AS code,
  CASE WHEN batch_id <> $batch THEN 'batch_id' ELSE 'party_id' END AS field,
  party_ref AS id
FROM staged_outcomes
WHERE party_ord IS NULL
  OR batch_id <> $batch
ORDER BY file_no, row_no
