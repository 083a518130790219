-- create: keeps a new collection unless its slug is taken
INSERT INTO collections ({columns}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- get: one collection
SELECT {columns} FROM collections WHERE slug = ?;

-- page: those between two places
SELECT {columns} FROM collections WHERE (created_us, slug) > (?, ?) AND (created_us, slug) < (?, ?)
ORDER BY created_us {direction}, slug {direction} LIMIT ?;

-- update: what people may change of a collection
UPDATE collections SET name = ?, description = ?, full_description = ? WHERE slug = ?;

-- delete: forgets a collection, not its models
DELETE FROM collections WHERE slug = ?;

-- add: puts a model at the end, where both exist
INSERT INTO collection_models (collection, model, position)
SELECT slug, ref, (SELECT coalesce(max(position), 0) + 1 FROM collection_models WHERE collection = ?1)
FROM collections, models WHERE slug = ?1 AND ref = ?2
ON CONFLICT DO NOTHING;

-- has: whether a model is in a collection
SELECT 1 FROM collection_models WHERE collection = ? AND model = ?;

-- remove: takes a model out
DELETE FROM collection_models WHERE collection = ? AND model = ?;

-- of_model: the collections that a model is in
SELECT collection FROM collection_models WHERE model = ?;

-- models: those of a collection, in order
SELECT {model_columns} FROM collection_models JOIN models ON ref = model WHERE collection = ? ORDER BY position;
