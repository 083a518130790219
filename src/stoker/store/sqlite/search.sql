-- The full-text index over models; made by search.prepare where this SQLite has FTS5, and made anew from the
-- models where its triggers are missing.

DROP TABLE IF EXISTS models_text;

CREATE VIRTUAL TABLE models_text USING fts5(
    name, owner, description, readme,
    content = 'models', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

INSERT INTO models_text (models_text) VALUES ('rebuild');

CREATE TRIGGER models_text_insert AFTER INSERT ON models
BEGIN
    INSERT INTO models_text (rowid, name, owner, description, readme)
    VALUES (NEW.number, NEW.name, NEW.owner, NEW.description, NEW.readme);
END;

CREATE TRIGGER models_text_delete AFTER DELETE ON models
BEGIN
    INSERT INTO models_text (models_text, rowid, name, owner, description, readme)
    VALUES ('delete', OLD.number, OLD.name, OLD.owner, OLD.description, OLD.readme);
END;

CREATE TRIGGER models_text_update AFTER UPDATE OF description, readme ON models
BEGIN
    INSERT INTO models_text (models_text, rowid, name, owner, description, readme)
    VALUES ('delete', OLD.number, OLD.name, OLD.owner, OLD.description, OLD.readme);
    INSERT INTO models_text (rowid, name, owner, description, readme)
    VALUES (NEW.number, NEW.name, NEW.owner, NEW.description, NEW.readme);
END;
