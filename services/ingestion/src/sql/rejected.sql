-- Every record that was left out, in the order of the input.
SELECT table_name, file, "row", field, code, reason, record
FROM staged_rejected
ORDER BY table_name, file, "row"
