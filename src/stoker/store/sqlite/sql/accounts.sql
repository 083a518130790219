-- create: keeps a new account unless its name is taken
INSERT INTO accounts ({accounts}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- get: one account
SELECT {accounts} FROM accounts WHERE name = ?;

-- page: accounts between two places
SELECT {accounts} FROM accounts
WHERE (created_us, name) > (?, ?) AND (created_us, name) < (?, ?)
ORDER BY created_us {direction}, name {direction} LIMIT ?;

-- update: what people may change of an account
UPDATE accounts SET display_name = ?, avatar_url = ?, github_url = ?, retention_s = ?, webhook_secret = ?
WHERE name = ?;

-- retentions: how long each account keeps the data of its predictions
SELECT name, retention_s FROM accounts;
