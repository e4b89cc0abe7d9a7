-- Transactions up to the as-of between known parties, without those that a later record replaces.
SELECT
  t.party_ord, t.ts, t.txn_id, t.counterparty_ord, t.account_id, t.amount, t.currency, t.txn_type, t.reference,
  t.days_past_due
FROM superseded_transactions AS s
RIGHT ANTI JOIN staged_transactions AS t ON s.file_no = t.file_no AND s.row_no = t.row_no
WHERE t.ts <= $as_of
  AND t.party_ord IS NOT NULL
  AND (t.counterparty_ref IS NULL OR t.counterparty_ord IS NOT NULL)
ORDER BY t.party_ord, t.ts, t.txn_id
