-- create: keeps a new account unless its name is taken
INSERT INTO accounts (name, kind, created_us, webhook_secret) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- get: one account
SELECT name, kind, created_us, webhook_secret FROM accounts WHERE name = ?;

-- create_token: keeps a new token
INSERT INTO tokens ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?);

-- token_by_digest: one token, revoked or not
SELECT {columns} FROM tokens WHERE digest = ?;

-- list_tokens: an account's tokens, oldest first
SELECT {columns} FROM tokens WHERE account = ? ORDER BY created_us, id;

-- revoke_token: a token that is good becomes revoked
UPDATE tokens SET revoked_us = ? WHERE account = ? AND id = ? AND revoked_us IS NULL;
