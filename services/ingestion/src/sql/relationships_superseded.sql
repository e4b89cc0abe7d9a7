-- Edges that a later record has too: one stays per (from, to, type).
WITH known AS (
  SELECT file_no, row_no, from_ord, to_ord, relationship_type
  FROM staged_relationships
  WHERE (established_date IS NULL OR established_date <= $as_of)
    AND from_ord IS NOT NULL
    AND to_ord IS NOT NULL
    AND from_ord <> to_ord
),
doubled AS (
  SELECT from_ord, to_ord, relationship_type
  FROM known
  GROUP BY from_ord, to_ord, relationship_type
  HAVING count(*) > 1
),
ranked AS (
  SELECT
    known.file_no,
    known.row_no,
    row_number() OVER (
      PARTITION BY known.from_ord, known.to_ord, known.relationship_type
      ORDER BY known.file_no DESC, known.row_no DESC
    ) AS newest
  FROM doubled
  INNER JOIN known
    ON known.from_ord = doubled.from_ord
    AND known.to_ord = doubled.to_ord
    AND known.relationship_type = doubled.relationship_type
)
SELECT file_no, row_no
FROM ranked
WHERE newest > 1
ORDER BY file_no, row_no
