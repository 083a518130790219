-- mark: nothing removes the prediction any more; only of one that is over and has its data
UPDATE predictions SET kept = 1 WHERE id = ? AND model = ? AND completed_us IS NOT NULL AND data_removed = 0;

-- keep: remembers it as an example, unless it is one
INSERT INTO examples (prediction, model, kept_us)
SELECT ?1, ref, ?3 FROM models WHERE ref = ?2 ON CONFLICT DO NOTHING;

-- keep_file: remembers one of its files, and when that would have gone; only of the prediction's own account
INSERT INTO example_files (prediction, file, expires_us)
SELECT ?1, id, coalesce((SELECT expires_us FROM example_files WHERE file = ?2 LIMIT 1), files.expires_us)
FROM files WHERE id = ?2 AND account = (SELECT account FROM predictions WHERE id = ?1)
ON CONFLICT DO NOTHING;

-- hold_files: its files do not expire
UPDATE files SET expires_us = ?1 WHERE id IN (SELECT file FROM example_files WHERE prediction = ?2);

-- set_default: the first example of a model, or the chosen one, stands for it
UPDATE models SET default_example = ?1 WHERE ref = ?2 AND (?3 OR default_example IS NULL);

-- drop: an example no longer; triggers do the rest
DELETE FROM examples WHERE prediction = ? AND model = ?;

-- get: one example
SELECT kept_us, (SELECT json_group_object(file, name) FROM example_files JOIN files ON files.id = file
        WHERE example_files.prediction = predictions.id), {columns}, logs
FROM (SELECT prediction AS kept_id, kept_us FROM examples) JOIN predictions ON id = kept_id
WHERE kept_id = ?;

-- page: a model's examples between two places
SELECT kept_us, (SELECT json_group_object(file, name) FROM example_files JOIN files ON files.id = file
        WHERE example_files.prediction = predictions.id), {columns}, logs
FROM (SELECT prediction AS kept_id, kept_us, model AS kept_of FROM examples) JOIN predictions ON id = kept_id
WHERE kept_of = ? AND (kept_us, kept_id) > (?, ?) AND (kept_us, kept_id) < (?, ?)
ORDER BY kept_us {direction}, kept_id {direction} LIMIT ?;
