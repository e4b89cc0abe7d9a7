-- Edges between two known parties, established by the as-of; one per (from, to, type), the last by (file, row).
WITH ranked AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY from_ord, to_ord, relationship_type
      ORDER BY file_no DESC, row_no DESC
    ) AS newest
  FROM staged_relationships
  WHERE (established_date IS NULL OR established_date <= $as_of)
    AND from_ord IS NOT NULL
    AND to_ord IS NOT NULL
    AND from_ord <> to_ord
)
SELECT from_ord, to_ord, relationship_type, relationship_id, established_date
FROM ranked
WHERE newest = 1
ORDER BY from_ord, to_ord, relationship_type
