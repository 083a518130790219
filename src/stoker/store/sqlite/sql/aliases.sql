-- has_version: whether there is such a version
SELECT model FROM versions WHERE model = ? AND id = ?;

-- clear: a version has no aliases any more
DELETE FROM aliases WHERE model = ? AND version = ?;

-- take: no version of the model has that id any more
DELETE FROM aliases WHERE id = ? AND model = ?;

-- is_version: a model that has a version of this id, with its code
SELECT model FROM versions WHERE id = ? AND json_extract(recipe, '$.imported_from') IS NULL LIMIT 1;

-- has_id: another version that this id stands for already
SELECT model || ':' || version FROM aliases WHERE id = ?1 AND (model <> ?2 OR version <> ?3) LIMIT 1;

-- is_model: another model that is called so; one that was only imported gives way
SELECT ref FROM models WHERE ref = ?1 AND ref <> ?2 AND (
    NOT EXISTS (SELECT 1 FROM versions WHERE model = ?1)
    OR EXISTS (SELECT 1 FROM versions WHERE model = ?1 AND json_extract(recipe, '$.imported_from') IS NULL));

-- has_name: another model that this name stands for already
SELECT model FROM aliases WHERE name = ?1 AND name <> '' AND model <> ?2 LIMIT 1;

-- add: a published id, under a name or bare
INSERT INTO aliases (id, name, model, version) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- of_version: the aliases of a version
SELECT id, name, model, version FROM aliases WHERE model = ? AND version = ?;

-- by_id: what a published id stands for
SELECT id, name, model, version FROM aliases WHERE id = ?;

-- by_name: what a published name stands for, newest version first
SELECT aliases.id, name, aliases.model, version
FROM aliases JOIN versions ON versions.model = aliases.model AND versions.id = version
WHERE name = ? AND name <> '' ORDER BY versions.created_us DESC, version DESC LIMIT 1;
