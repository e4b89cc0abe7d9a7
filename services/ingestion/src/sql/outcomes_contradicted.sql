-- Outcomes of which only the last stands although another told it differently: will_default both ways, or other days.
SELECT party_id, kind
FROM staged_outcomes
WHERE party_ord IS NOT NULL
  AND (batch_id IS NULL OR batch_id = $batch)
GROUP BY party_id, kind, occurred_at
HAVING min(CASE WHEN will_default THEN 1 ELSE 0 END) <> max(CASE WHEN will_default THEN 1 ELSE 0 END)
  OR min(days_past_due) <> max(days_past_due)
ORDER BY party_id, kind
