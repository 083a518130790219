-- The first schema that there was, as it was; steps from here must lead to the schema of today.

CREATE TABLE accounts (
    name TEXT PRIMARY KEY COLLATE NOCASE NOT NULL,
    kind TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    webhook_secret TEXT NOT NULL,
    display_name TEXT NOT NULL DEFAULT '',
    avatar_url TEXT,
    github_url TEXT,
    retention_s REAL
) STRICT;

CREATE INDEX accounts_newest ON accounts (created_us, name);

CREATE TABLE members (
    organization TEXT NOT NULL COLLATE NOCASE REFERENCES accounts (name),
    account TEXT NOT NULL COLLATE NOCASE REFERENCES accounts (name),
    role TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    PRIMARY KEY (organization, account)
) STRICT;

CREATE INDEX members_of_account ON members (account, organization, role);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    revoked_us INTEGER,
    scope TEXT NOT NULL DEFAULT 'admin',
    expires_us INTEGER,
    used_us INTEGER
) STRICT;

CREATE INDEX tokens_of_account ON tokens (account, created_us, id);

CREATE TABLE models (
    number INTEGER PRIMARY KEY,
    ref TEXT NOT NULL UNIQUE COLLATE NOCASE,
    owner TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL COLLATE NOCASE,
    account TEXT NOT NULL COLLATE NOCASE,
    created_us INTEGER NOT NULL,
    visibility TEXT NOT NULL,
    hardware TEXT NOT NULL,
    description TEXT,
    github_url TEXT,
    paper_url TEXT,
    license_url TEXT,
    weights_url TEXT,
    cover_image_url TEXT,
    readme TEXT NOT NULL,
    run_count INTEGER NOT NULL,
    latest_version TEXT,
    latest_version_us INTEGER,
    default_example TEXT,
    recent_us INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(latest_version_us, created_us)) VIRTUAL
) STRICT;

CREATE INDEX models_newest ON models (visibility, created_us, ref);
CREATE INDEX models_recent ON models (visibility, recent_us, ref);
CREATE INDEX models_newest_own ON models (account, visibility, created_us, ref);
CREATE INDEX models_recent_own ON models (account, visibility, recent_us, ref);

CREATE TABLE versions (
    model TEXT NOT NULL COLLATE NOCASE REFERENCES models (ref),
    id TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    cog_version TEXT NOT NULL,
    environment TEXT NOT NULL,
    openapi_schema TEXT NOT NULL,
    recipe TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (model, id)
) STRICT;

CREATE INDEX versions_newest ON versions (model, created_us, id);
CREATE INDEX versions_by_id ON versions (id, created_us);
CREATE INDEX versions_trained ON versions (json_extract(recipe, '$.trained_from') COLLATE NOCASE)
    WHERE json_extract(recipe, '$.trained_from') IS NOT NULL;
CREATE INDEX versions_with_checkpoint ON versions (json_extract(recipe, '$.checkpoint'))
    WHERE json_extract(recipe, '$.checkpoint') IS NOT NULL;

-- Versions whose predictions are still to be removed: those made before that moment.
CREATE TABLE deleted_versions (
    model TEXT NOT NULL COLLATE NOCASE,
    id TEXT NOT NULL,
    before_us INTEGER NOT NULL,
    PRIMARY KEY (model, id)
) STRICT;

-- Of a prediction of kind 'deleted' there is left who ran what for how long; nothing shows it.
-- Wide values come last: a list or a guard never reads the pages that they overflow to.
CREATE TABLE predictions (
    id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL COLLATE NOCASE,
    kind TEXT NOT NULL,
    model TEXT NOT NULL COLLATE NOCASE,
    version TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    stream_key TEXT NOT NULL,
    deployment TEXT COLLATE NOCASE,
    destination TEXT COLLATE NOCASE,
    source TEXT NOT NULL,
    status TEXT NOT NULL,
    started_us INTEGER,
    completed_us INTEGER,
    deadline_us INTEGER,
    priority TEXT NOT NULL DEFAULT 'normal',
    webhook TEXT,
    webhook_events TEXT NOT NULL DEFAULT '',
    data_removed INTEGER NOT NULL DEFAULT 0,
    kept INTEGER NOT NULL DEFAULT 0,
    imported_us INTEGER,
    likeness TEXT,
    copied_from TEXT,
    error TEXT,
    metrics BLOB,
    secrets BLOB,
    input BLOB NOT NULL,
    output BLOB,
    logs TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE UNIQUE INDEX predictions_stream ON predictions (stream_key);
CREATE INDEX predictions_newest ON predictions (account, kind, created_us, id);
CREATE INDEX predictions_newest_web ON predictions (account, kind, created_us, id) WHERE source = 'web';
CREATE INDEX predictions_open ON predictions (status, created_us, id) WHERE completed_us IS NULL;
CREATE INDEX predictions_of_deployment ON predictions (deployment, completed_us) WHERE deployment IS NOT NULL;
CREATE INDEX predictions_of_version ON predictions (version, model, account) WHERE kind <> 'deleted';
CREATE INDEX predictions_to_empty ON predictions (account, coalesce(imported_us, completed_us))
    WHERE completed_us IS NOT NULL AND data_removed = 0 AND source = 'api' AND kept = 0 AND kind = 'prediction';

CREATE INDEX predictions_alike ON predictions (account, version, likeness, completed_us)
    WHERE likeness IS NOT NULL AND copied_from IS NULL AND status = 'succeeded' AND data_removed = 0;

-- A run counts once, when its prediction becomes final, whichever statement makes it so; one that was elsewhere
-- (``imported_us``) or another prediction's (``copied_from``) does not.
CREATE TRIGGER count_run AFTER UPDATE OF completed_us ON predictions
WHEN OLD.completed_us IS NULL AND NEW.completed_us IS NOT NULL AND NEW.kind = 'prediction'
    AND NEW.copied_from IS NULL
BEGIN
    UPDATE models SET run_count = run_count + 1 WHERE ref = NEW.model;
END;

CREATE TRIGGER count_whole_run AFTER INSERT ON predictions
WHEN NEW.completed_us IS NOT NULL AND NEW.kind = 'prediction' AND NEW.imported_us IS NULL
    AND NEW.copied_from IS NULL
BEGIN
    UPDATE models SET run_count = run_count + 1 WHERE ref = NEW.model;
END;

CREATE TABLE deployments (
    ref TEXT PRIMARY KEY COLLATE NOCASE NOT NULL,
    owner TEXT NOT NULL COLLATE NOCASE,
    name TEXT NOT NULL COLLATE NOCASE,
    created_us INTEGER NOT NULL,
    number INTEGER NOT NULL
) STRICT;

CREATE INDEX deployments_newest ON deployments (owner, created_us, ref);

-- Every release that a deployment has had; the one of the deployment's number is current.
CREATE TABLE releases (
    deployment TEXT NOT NULL COLLATE NOCASE REFERENCES deployments (ref) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    model TEXT NOT NULL COLLATE NOCASE,
    version TEXT NOT NULL,
    hardware TEXT NOT NULL,
    min_instances INTEGER NOT NULL,
    max_instances INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    created_by TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (deployment, number)
) STRICT;

CREATE INDEX releases_of_version ON releases (version);

CREATE TABLE files (
    id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL COLLATE NOCASE,
    origin TEXT NOT NULL,
    name TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    md5 TEXT,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    prediction TEXT,
    metadata TEXT NOT NULL
) STRICT;

CREATE INDEX files_newest ON files (account, origin, created_us, id);
CREATE INDEX files_expiry ON files (expires_us);
CREATE INDEX files_content ON files (sha256);
CREATE INDEX files_of_prediction ON files (prediction) WHERE prediction IS NOT NULL;

-- How long answers of a model's versions are given again.
CREATE TABLE lifetimes (
    model TEXT PRIMARY KEY NOT NULL COLLATE NOCASE REFERENCES models (ref) ON DELETE CASCADE,
    answer_s REAL NOT NULL
) STRICT;

-- Whoever names bytes for a build must have sent them.
CREATE TABLE uploads (
    account TEXT NOT NULL COLLATE NOCASE,
    sha256 TEXT NOT NULL,
    seen_us INTEGER NOT NULL,
    PRIMARY KEY (account, sha256)
) STRICT, WITHOUT ROWID;

CREATE INDEX uploads_oldest ON uploads (seen_us);

-- Idempotency keys; ``answer`` is NULL while nothing was answered, and where it is read from what was created.
CREATE TABLE claims (
    account TEXT NOT NULL COLLATE NOCASE,
    key TEXT NOT NULL,
    said TEXT NOT NULL,
    seed BLOB NOT NULL,
    created_us INTEGER NOT NULL,
    status INTEGER NOT NULL DEFAULT 0,
    answer BLOB,
    PRIMARY KEY (account, key)
) STRICT;

CREATE INDEX claims_oldest ON claims (created_us);

CREATE TABLE outbox (
    id TEXT PRIMARY KEY NOT NULL,
    prediction TEXT NOT NULL,
    event TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_us INTEGER NOT NULL
) STRICT;

CREATE INDEX outbox_due ON outbox (next_us, created_us, id);

CREATE TABLE secrets (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE collections (
    slug TEXT PRIMARY KEY COLLATE NOCASE NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    full_description TEXT,
    created_us INTEGER NOT NULL
) STRICT;

CREATE INDEX collections_newest ON collections (created_us, slug);

CREATE TABLE collection_models (
    collection TEXT NOT NULL COLLATE NOCASE REFERENCES collections (slug) ON DELETE CASCADE,
    model TEXT NOT NULL COLLATE NOCASE REFERENCES models (ref) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    PRIMARY KEY (collection, model)
) STRICT;

CREATE INDEX collection_models_in_order ON collection_models (collection, position);
CREATE INDEX collection_models_of_model ON collection_models (model);

-- A prediction that is kept as an example has ``kept`` = 1, and its files do not expire.
CREATE TABLE examples (
    prediction TEXT PRIMARY KEY NOT NULL REFERENCES predictions (id) ON DELETE CASCADE,
    model TEXT NOT NULL COLLATE NOCASE REFERENCES models (ref) ON DELETE CASCADE,
    kept_us INTEGER NOT NULL
) STRICT;

CREATE INDEX examples_newest ON examples (model, kept_us, prediction);

-- ``expires_us`` is when the file would have expired, had it not been kept.
CREATE TABLE example_files (
    prediction TEXT NOT NULL REFERENCES examples (prediction) ON DELETE CASCADE,
    file TEXT NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    expires_us INTEGER NOT NULL,
    PRIMARY KEY (prediction, file)
) STRICT;

CREATE INDEX example_files_of_file ON example_files (file);

-- However an example goes, with its model too, its prediction and its files go the way of others again: at once
-- what another prediction made whose data went meanwhile.
CREATE TRIGGER release_example AFTER DELETE ON examples
BEGIN
    DELETE FROM predictions WHERE id = OLD.prediction AND kind = 'example';
    UPDATE predictions SET kept = 0 WHERE id = OLD.prediction;
    UPDATE models SET default_example =
        (SELECT prediction FROM examples WHERE model = OLD.model ORDER BY kept_us, prediction LIMIT 1)
    WHERE ref = OLD.model AND default_example = OLD.prediction;
END;

CREATE TRIGGER release_example_file AFTER DELETE ON example_files
WHEN NOT EXISTS (SELECT 1 FROM example_files WHERE file = OLD.file)
BEGIN
    UPDATE files SET expires_us = CASE
        WHEN EXISTS (SELECT 1 FROM predictions WHERE id = files.prediction AND data_removed) THEN 0
        ELSE OLD.expires_us END
    WHERE id = OLD.file;
END;

-- A published id stands for one local version; ``name`` is the model that it was published under, or ''.
CREATE TABLE aliases (
    id TEXT NOT NULL,
    name TEXT NOT NULL COLLATE NOCASE,
    model TEXT NOT NULL COLLATE NOCASE,
    version TEXT NOT NULL,
    PRIMARY KEY (id, name),
    FOREIGN KEY (model, version) REFERENCES versions (model, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX aliases_by_name ON aliases (name) WHERE name <> '';
CREATE INDEX aliases_of_version ON aliases (model, version);

-- What was learned of a version from its runs, as JSON.
CREATE TABLE experiences (
    version TEXT PRIMARY KEY NOT NULL,
    learned TEXT NOT NULL
) STRICT;

-- How many instances accounts, models, versions and deployments ask for, as JSON; ``version`` is '' but for versions.
CREATE TABLE scales (
    kind TEXT NOT NULL,
    ref TEXT NOT NULL COLLATE NOCASE,
    version TEXT NOT NULL,
    asked TEXT NOT NULL,
    PRIMARY KEY (kind, ref, version)
) STRICT;

CREATE TRIGGER forget_model_scales AFTER DELETE ON models
BEGIN
    DELETE FROM scales WHERE kind IN ('model', 'version') AND ref = OLD.ref;
END;

CREATE TRIGGER forget_version_scale AFTER DELETE ON versions
BEGIN
    DELETE FROM scales WHERE kind = 'version' AND ref = OLD.model AND version = OLD.id;
END;

CREATE TRIGGER forget_deployment_scale AFTER DELETE ON deployments
BEGIN
    DELETE FROM scales WHERE kind = 'deployment' AND ref = OLD.ref;
END;
