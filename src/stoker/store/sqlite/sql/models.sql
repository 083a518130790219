-- create: keeps a new model unless its name is taken
INSERT INTO models ({columns}, ref) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- get: one model
SELECT {columns} FROM models WHERE ref = ?;

-- page: the public ones, one account's own and those of its organisations, between two places
SELECT {columns} FROM models
WHERE (visibility = 'public' OR account = ? OR account IN (SELECT organization FROM members WHERE account = ?))
    AND (created_us, ref) > (?, ?) AND (created_us, ref) < (?, ?)
ORDER BY created_us {direction}, ref {direction} LIMIT ?;

-- update: what people may change of a model
UPDATE models SET visibility = ?, hardware = ?, description = ?, github_url = ?, paper_url = ?, license_url = ?,
    weights_url = ?, cover_image_url = ?, readme = ?
WHERE ref = ?;

-- delete: forgets a model that has no versions
DELETE FROM models WHERE ref = ?1 AND NOT EXISTS (SELECT 1 FROM versions WHERE model = ?1);
