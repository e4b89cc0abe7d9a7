-- Accounts of known parties, without those that a later record replaces.
SELECT t.party_ord, t.account_id, t.account_type, t.currency, t.balance
FROM superseded_accounts AS s
RIGHT ANTI JOIN staged_accounts AS t ON s.file_no = t.file_no AND s.row_no = t.row_no
WHERE t.party_ord IS NOT NULL
ORDER BY t.party_ord, t.account_id
