-- put: sets the lifetime of a model's answers, where there is such a model
INSERT INTO lifetimes (model, answer_s) SELECT ref, ?2 FROM models WHERE ref = ?1
ON CONFLICT (model) DO UPDATE SET answer_s = excluded.answer_s;

-- drop: a model's answers are given again no more
DELETE FROM lifetimes WHERE model = ?;

-- exists: whether there is such a model
SELECT 1 FROM models WHERE ref = ?;

-- all: every lifetime
SELECT model, answer_s FROM lifetimes;
