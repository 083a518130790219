-- keep: a secret of this installation, unless there is one of that name
INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- get: the value that is kept
SELECT value FROM secrets WHERE name = ?;
