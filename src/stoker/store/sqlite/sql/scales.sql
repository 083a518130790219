-- all: what everybody asks for; there are few
SELECT kind, ref, version, asked FROM scales;

-- get: what one asks for
SELECT asked FROM scales WHERE kind = ? AND ref = ? AND version = ?;

-- put: instead of what it asked for
INSERT INTO scales (kind, ref, version, asked) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET asked = excluded.asked;

-- drop: it asks for nothing
DELETE FROM scales WHERE kind = ? AND ref = ? AND version = ?;
