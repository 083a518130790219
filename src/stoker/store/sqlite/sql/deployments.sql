-- create: keeps a new deployment unless its name is taken
INSERT INTO deployments (ref, owner, name, created_us, number) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING;

-- add_release: keeps a release of a version that exists
INSERT INTO releases (deployment, number, model, version, hardware, min_instances, max_instances, created_us, created_by)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM versions WHERE model = ?3 AND id = ?4);

-- make_current: moves a deployment to the release after its current one
UPDATE deployments SET number = ?2 WHERE ref = ?1 AND number = ?2 - 1;

-- get: one deployment with its current release
SELECT {columns} FROM deployments AS d JOIN releases AS r ON r.deployment = d.ref AND r.number = d.number
WHERE d.ref = ?;

-- page: an account's own between two places
SELECT {columns} FROM deployments AS d JOIN releases AS r ON r.deployment = d.ref AND r.number = d.number
WHERE d.owner = ? AND (d.created_us, d.ref) > (?, ?) AND (d.created_us, d.ref) < (?, ?)
ORDER BY d.created_us {direction}, d.ref {direction} LIMIT ?;

-- all: every deployment with its current release
SELECT {columns} FROM deployments AS d JOIN releases AS r ON r.deployment = d.ref AND r.number = d.number;

-- runs: a row where some deployment's current release runs a version
SELECT 1 FROM releases AS r JOIN deployments AS d ON d.ref = r.deployment AND d.number = r.number
WHERE r.version = ? AND r.model = ? LIMIT 1;

-- delete: forgets a deployment of which nothing runs, waits, or has ended since a moment
DELETE FROM deployments WHERE ref = ?1 AND NOT EXISTS (
    SELECT 1 FROM predictions WHERE deployment = ?1 AND completed_us IS NULL
    UNION ALL
    SELECT 1 FROM predictions WHERE deployment = ?1 AND completed_us > ?2);

-- delete_used: forgets a deployment whatever it did
DELETE FROM deployments WHERE ref = ?;
