-- note: an account has sent these bytes
INSERT INTO uploads (account, sha256, seen_us) VALUES (?, ?, ?)
ON CONFLICT (account, sha256) DO UPDATE SET seen_us = excluded.seen_us;

-- known: those of a JSON list of sha256 that an account has sent, seen again
UPDATE uploads SET seen_us = ? WHERE account = ? AND sha256 IN (SELECT value FROM json_each(?))
RETURNING sha256;

-- forget: what was not seen since
DELETE FROM uploads WHERE seen_us < ?;
