-- accept: keeps a new prediction
INSERT INTO predictions (id, account, kind, model, version, created_us, stream_key, deployment, source, status,
    started_us, completed_us, deadline_us, webhook, webhook_events, data_removed, kept, error, metrics, secrets,
    input, output, logs, destination, imported_us, likeness, copied_from, priority)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- start: starting becomes processing and its secrets are forgotten
UPDATE predictions SET status = 'processing', started_us = ?, secrets = NULL
WHERE id = ? AND status = 'starting';

-- finish: whatever is not final yet becomes final
UPDATE predictions SET status = ?, completed_us = ?, output = ?, logs = ?, error = ?, metrics = ?,
    copied_from = ?, secrets = NULL
WHERE id = ? AND completed_us IS NULL;

-- keep_output: what one that is processing has given so far
UPDATE predictions SET output = ? WHERE id = ? AND status = 'processing' AND completed_us IS NULL;

-- owe_interrupted: a `completed` delivery for each interrupted prediction whose caller wants one
INSERT INTO outbox (id, prediction, event, created_us, attempts, next_us)
SELECT 'msg_' || lower(hex(randomblob(16))), id, 'completed', :now_us, 0, :now_us
FROM predictions
WHERE status = 'processing' AND completed_us IS NULL AND webhook IS NOT NULL
    AND (webhook_events = '' OR ',' || webhook_events || ',' LIKE '%,completed,%');

-- interrupt: all that is processing becomes failed
UPDATE predictions SET status = 'failed', completed_us = :now_us, error = :error, secrets = NULL,
    metrics = CAST(json_object('predict_time', (:now_us - coalesce(started_us, :now_us)) / 1e6,
        'total_time', (:now_us - created_us) / 1e6) AS BLOB)
WHERE status = 'processing' AND completed_us IS NULL;

-- get: one prediction, whole
SELECT {columns}, logs FROM predictions WHERE id = ? AND kind <> 'deleted';

-- known: whether an id is a prediction of that account's
SELECT id FROM predictions WHERE id = ? AND account = ? AND kind <> 'deleted';

-- get_by_stream_key: one prediction, whole, by its capability
SELECT {columns}, logs FROM predictions WHERE stream_key = ? AND kind <> 'deleted';

-- waiting: all that is starting, oldest first
SELECT {columns}, logs FROM predictions WHERE status = 'starting' AND completed_us IS NULL ORDER BY created_us, id;

-- alike: the youngest answer to the same question of the same account
SELECT {columns}, logs FROM predictions
WHERE account = ? AND version = ? AND likeness = ? AND completed_us >= ?
    AND likeness IS NOT NULL AND copied_from IS NULL AND status = 'succeeded' AND data_removed = 0
ORDER BY completed_us DESC LIMIT 1;

-- page: those between two places; logs are left out, they may be megabytes each
SELECT {columns}, '' FROM predictions
WHERE account = ? AND kind = ? AND (created_us, id) > (?, ?) AND (created_us, id) < (?, ?)
ORDER BY created_us {direction}, id {direction} LIMIT ?;

-- page_web: the same of those that were made on the web, which have their own index
SELECT {columns}, '' FROM predictions
WHERE account = ? AND kind = ? AND (created_us, id) > (?, ?) AND (created_us, id) < (?, ?) AND source = 'web'
ORDER BY created_us {direction}, id {direction} LIMIT ?;

-- page_api: the same of those that came through the API, nearly all of them
SELECT {columns}, '' FROM predictions
WHERE account = ? AND kind = ? AND (created_us, id) > (?, ?) AND (created_us, id) < (?, ?) AND source = 'api'
ORDER BY created_us {direction}, id {direction} LIMIT ?;

-- remove_files: forgets a prediction's files, but those that an example holds
DELETE FROM files WHERE prediction = ? AND NOT EXISTS (SELECT 1 FROM example_files WHERE file = files.id);

-- remove_data: empties what an account's API predictions carried, oldest first; trainings keep theirs
UPDATE predictions SET input = x'7B7D', output = NULL, logs = '', likeness = NULL, data_removed = 1
WHERE id IN (
    SELECT id FROM predictions
    WHERE account = ? AND completed_us IS NOT NULL AND coalesce(imported_us, completed_us) < ?
        AND data_removed = 0 AND source = 'api' AND kept = 0 AND kind = 'prediction'
    ORDER BY coalesce(imported_us, completed_us) LIMIT ?)
RETURNING id;

-- deleted_version: one whose predictions are to be removed
SELECT id, model, before_us FROM deleted_versions LIMIT 1;

-- of_deleted: the first predictions of such a version
SELECT id FROM predictions
WHERE version = ? AND model = ? AND created_us < ? AND kind <> 'deleted' AND completed_us IS NOT NULL LIMIT ?;

-- release: it is nobody's example any more
DELETE FROM examples WHERE prediction = ?;

-- delete: leaves what it cost
UPDATE predictions SET kind = 'deleted', input = x'7B7D', output = NULL, logs = '', error = NULL, webhook = NULL,
    likeness = NULL, data_removed = 1
WHERE id = ?;

-- all_deleted: a version has nothing left to be removed
DELETE FROM deleted_versions WHERE id = ? AND model = ? AND before_us = ?;
