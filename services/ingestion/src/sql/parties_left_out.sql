-- Parties that did not exist yet at the as-of.
SELECT file_no, row_no, 'FUTURE' AS code, 'created_at' AS field, party_ref AS id
FROM staged_parties
WHERE created_at > $as_of
ORDER BY file_no, row_no
