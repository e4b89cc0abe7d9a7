-- Accounts of known parties; of several records with one id, the last by (file, row).
WITH ranked AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY account_id ORDER BY file_no DESC, row_no DESC) AS newest
  FROM staged_accounts
  WHERE party_ord IS NOT NULL
)
SELECT party_ord, account_id, account_type, currency, balance
FROM ranked
WHERE newest = 1
ORDER BY party_ord, account_id
