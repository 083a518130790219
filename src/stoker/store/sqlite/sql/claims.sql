-- take: keeps a claim, also in the place of one that is too old
INSERT INTO claims (account, key, said, seed, created_us) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account, key) DO UPDATE SET said = excluded.said, seed = excluded.seed,
    created_us = excluded.created_us, status = 0, answer = NULL
WHERE claims.created_us < ?;

-- get: the claim of an account's key
SELECT account, key, said, seed, created_us, answer, status FROM claims WHERE account = ? AND key = ?;

-- answer: what the request was answered
UPDATE claims SET answer = ?, status = ? WHERE account = ? AND key = ? AND created_us = ?;

-- release: forgets a claim
DELETE FROM claims WHERE account = ? AND key = ? AND created_us = ?;

-- forget: those that were made before
DELETE FROM claims WHERE created_us < ?;
