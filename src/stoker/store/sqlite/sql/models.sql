-- create: keeps a new model unless its name is taken
INSERT INTO models ({columns}, ref) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- get: one model
SELECT {columns} FROM models WHERE ref = ?;

-- count: how many an account has
SELECT count(*) FROM models WHERE account = ?;

-- page: the public ones, one account's own and those of its organisations, between two places
SELECT {columns}, created_us AS moment, ref AS called FROM models
    WHERE visibility = 'public'
        AND (created_us, ref) > (?2, ?3) AND (created_us, ref) < (?4, ?5)
UNION ALL
SELECT {columns}, created_us AS moment, ref AS called FROM models
    WHERE account = ?1 AND visibility = 'private'
        AND (created_us, ref) > (?2, ?3) AND (created_us, ref) < (?4, ?5)
UNION ALL
SELECT {columns}, created_us AS moment, ref AS called FROM models
    WHERE account IN (SELECT organization FROM members WHERE account = ?1) AND visibility = 'private'
        AND (created_us, ref) > (?2, ?3) AND (created_us, ref) < (?4, ?5)
ORDER BY moment {direction}, called {direction} LIMIT ?6;

-- page_recent: the same in the order of their latest versions, of the model itself where there is none
SELECT {columns}, recent_us AS moment, ref AS called FROM models
    WHERE visibility = 'public'
        AND (recent_us, ref) > (?2, ?3) AND (recent_us, ref) < (?4, ?5)
UNION ALL
SELECT {columns}, recent_us AS moment, ref AS called FROM models
    WHERE account = ?1 AND visibility = 'private'
        AND (recent_us, ref) > (?2, ?3) AND (recent_us, ref) < (?4, ?5)
UNION ALL
SELECT {columns}, recent_us AS moment, ref AS called FROM models
    WHERE account IN (SELECT organization FROM members WHERE account = ?1) AND visibility = 'private'
        AND (recent_us, ref) > (?2, ?3) AND (recent_us, ref) < (?4, ?5)
ORDER BY moment {direction}, called {direction} LIMIT ?6;

-- update: what people may change of a model
UPDATE models SET visibility = ?, hardware = ?, description = ?, github_url = ?, paper_url = ?, license_url = ?,
    weights_url = ?, cover_image_url = ?, readme = ?
WHERE ref = ?;

-- delete: forgets a model that has no versions
DELETE FROM models WHERE ref = ?1 AND NOT EXISTS (SELECT 1 FROM versions WHERE model = ?1);
