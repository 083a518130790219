-- owe: a message that must be delivered
INSERT INTO outbox ({columns}) VALUES (?, ?, ?, ?, ?, ?);

-- due: what may be tried now, longest due first
SELECT {columns} FROM outbox WHERE next_us <= ? ORDER BY next_us, created_us, id LIMIT ?;

-- next_due_us: when the next one after a moment is due
SELECT min(next_us) FROM outbox WHERE next_us > ?;

-- retry: another attempt later
UPDATE outbox SET attempts = ?, next_us = ? WHERE id = ?;

-- drop: delivered, or given up
DELETE FROM outbox WHERE id = ?;
