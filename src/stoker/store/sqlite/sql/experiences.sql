-- all: what is known of every version that still exists
SELECT version, learned FROM experiences WHERE EXISTS (SELECT 1 FROM versions WHERE id = experiences.version);

-- put: the newest of one version
INSERT INTO experiences (version, learned) VALUES (?, ?) ON CONFLICT DO UPDATE SET learned = excluded.learned;

-- forget: what is known of versions that are gone
DELETE FROM experiences WHERE NOT EXISTS (SELECT 1 FROM versions WHERE id = experiences.version);
