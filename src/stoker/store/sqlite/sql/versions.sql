-- create: keeps a new version unless its model has it; what was only imported gets its code
INSERT INTO versions (model, id, created_us, cog_version, environment, openapi_schema, recipe, source)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET created_us = excluded.created_us,
    cog_version = excluded.cog_version, environment = excluded.environment,
    openapi_schema = excluded.openapi_schema, recipe = excluded.recipe, source = excluded.source
WHERE json_extract(versions.recipe, '$.imported_from') IS NOT NULL;

-- set_latest: names a model's latest version
UPDATE models SET latest_version = ?1, latest_version_us =
    coalesce((SELECT created_us FROM versions WHERE model = ?2 AND id = ?1
        AND json_extract(recipe, '$.imported_from') IS NULL), ?3)
WHERE ref = ?2;

-- describe: keeps a version that came without its code, unless its model has it
INSERT INTO versions (model, id, created_us, cog_version, environment, openapi_schema, recipe, source)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- has_model: whether there is such a model
SELECT 1 FROM models WHERE ref = ?;

-- set_described: the newest is the latest of a model that has none with code
UPDATE models SET (latest_version, latest_version_us) =
    (SELECT id, created_us FROM versions WHERE model = models.ref ORDER BY created_us DESC, id DESC LIMIT 1)
WHERE ref = ?1 AND NOT EXISTS (
    SELECT 1 FROM versions WHERE model = ?1 AND json_extract(recipe, '$.imported_from') IS NULL);

-- relatest: a deleted version is no longer the latest, the newest with code that is left is
UPDATE models SET (latest_version, latest_version_us) =
    (SELECT id, created_us FROM versions
    WHERE model = models.ref AND json_extract(recipe, '$.imported_from') IS NULL
    ORDER BY created_us DESC, id DESC LIMIT 1)
WHERE ref = ? AND latest_version = ?;

-- get: a version by its id alone, one with code first
SELECT {columns} FROM versions WHERE id = ?
ORDER BY json_extract(recipe, '$.imported_from') IS NULL DESC, created_us DESC LIMIT 1;

-- get_own: a version by its id alone, of one of the account's models
SELECT {columns} FROM versions
WHERE id = ? AND EXISTS (SELECT 1 FROM models WHERE ref = versions.model AND account = ?)
ORDER BY json_extract(recipe, '$.imported_from') IS NULL DESC, created_us DESC LIMIT 1;

-- get_shared: a version by its id alone, of a model of one of the account's organisations
SELECT {columns} FROM versions
WHERE id = ? AND EXISTS (SELECT 1 FROM models WHERE ref = versions.model
    AND account IN (SELECT organization FROM members WHERE account = ?))
ORDER BY json_extract(recipe, '$.imported_from') IS NULL DESC, created_us DESC LIMIT 1;

-- get_public: a version by its id alone, of a public model
SELECT {columns} FROM versions
WHERE id = ? AND EXISTS (SELECT 1 FROM models WHERE ref = versions.model AND visibility = 'public')
ORDER BY json_extract(recipe, '$.imported_from') IS NULL DESC, created_us DESC LIMIT 1;

-- get_of_model: a version of one model
SELECT {columns} FROM versions WHERE id = ? AND model = ?;

-- page: versions of a model between two places
SELECT {columns} FROM versions
WHERE model = ? AND (created_us, id) > (?, ?) AND (created_us, id) < (?, ?)
ORDER BY created_us {direction}, id {direction} LIMIT ?;

-- delete: forgets a version that no deployment's current release runs
DELETE FROM versions WHERE model = ?1 AND id = ?2 AND NOT EXISTS (
    SELECT 1 FROM releases AS r JOIN deployments AS d ON d.ref = r.deployment AND d.number = r.number
    WHERE r.version = ?2 AND r.model = ?1);

-- delete_runs: remembers that a version's predictions are to be removed
INSERT INTO deleted_versions (model, id, before_us) VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET before_us = excluded.before_us;

-- runs: who ran a version or runs it, and whether some of that is not over
SELECT account, max(completed_us IS NULL) FROM predictions
WHERE version = ? AND model = ? AND kind <> 'deleted' GROUP BY account;

-- ids: every version, once however many models have it
SELECT DISTINCT id FROM versions;

-- has_trained: whether some version, but of that model, was trained from this one
SELECT 1 FROM versions WHERE json_extract(recipe, '$.trained_from') = ? COLLATE NOCASE AND model <> ? LIMIT 1;

-- sources: the sha256 of every source file, and of all trained weights
SELECT json_extract(file.value, '$.sha256') FROM versions, json_each(versions.source) AS file
UNION SELECT json_extract(recipe, '$.weights') FROM versions WHERE json_extract(recipe, '$.weights') IS NOT NULL;

-- environments: every environment that is in use
SELECT DISTINCT environment FROM versions;

-- checkpoints: every checkpoint that is in use, with each version that runs with it
SELECT json_extract(recipe, '$.checkpoint'), model, id FROM versions
WHERE json_extract(recipe, '$.checkpoint') IS NOT NULL ORDER BY created_us DESC, id;
