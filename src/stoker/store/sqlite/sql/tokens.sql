-- create: keeps a new token
INSERT INTO tokens ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- get: one token, revoked or not
SELECT {columns} FROM tokens WHERE id = ?;

-- by_digest: one token, revoked or not
SELECT {columns} FROM tokens WHERE digest = ?;

-- list: an account's tokens, oldest first
SELECT {columns} FROM tokens WHERE account = ? ORDER BY created_us, id;

-- revoke: a token that is good becomes revoked
UPDATE tokens SET revoked_us = ? WHERE account = ? AND id = ? AND revoked_us IS NULL;

-- note_use: when a token was last seen
UPDATE tokens SET used_us = ? WHERE id = ?;
