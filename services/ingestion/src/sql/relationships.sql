-- Edges between two known parties, established by the as-of, without those that a later record replaces.
SELECT t.from_ord, t.to_ord, t.relationship_type, t.relationship_id, t.established_date
FROM superseded_relationships AS s
RIGHT ANTI JOIN staged_relationships AS t ON s.file_no = t.file_no AND s.row_no = t.row_no
WHERE (t.established_date IS NULL OR t.established_date <= $as_of)
  AND t.from_ord IS NOT NULL
  AND t.to_ord IS NOT NULL
  AND t.from_ord <> t.to_ord
ORDER BY t.from_ord, t.to_ord, t.relationship_type
