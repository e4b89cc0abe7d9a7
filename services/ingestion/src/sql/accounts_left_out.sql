-- Accounts of parties that the batch does not have.
SELECT file_no, row_no, 'UNKNOWN_PARTY' AS code, 'party_id' AS field, party_ref AS id
FROM staged_accounts
WHERE party_ord IS NULL
ORDER BY file_no, row_no
