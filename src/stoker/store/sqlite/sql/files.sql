-- create: remembers a file
INSERT INTO files ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- get: one file
SELECT {columns} FROM files WHERE id = ?;

-- page: an account's files of one origin between two places
SELECT {columns} FROM files
WHERE account = ? AND origin = ? AND (created_us, id) > (?, ?) AND (created_us, id) < (?, ?)
ORDER BY created_us {direction}, id {direction} LIMIT ?;

-- delete: forgets an account's file
DELETE FROM files WHERE id = ? AND account = ?;

-- expire: forgets the files whose time is over, oldest first
DELETE FROM files WHERE id IN (SELECT id FROM files WHERE expires_us <= ? ORDER BY expires_us LIMIT ?);

-- contents: the sha256 of every file
SELECT DISTINCT sha256 FROM files;
