-- match: models by the full-text index, the best first; a word in a name weighs most, one in a README least
SELECT {columns}, -worse FROM models, (
    SELECT rowid AS hit, bm25(models_text, 10.0, 5.0, 3.0, 1.0) AS worse FROM models_text WHERE models_text MATCH ?1)
WHERE number = hit AND (visibility = 'public' OR account = ?2
    OR account IN (SELECT organization FROM members WHERE account = ?2))
ORDER BY worse, run_count DESC, ref LIMIT ?3;

-- scan: the same without the index: those that have every word somewhere; names count first, then descriptions
SELECT {columns},
    (SELECT sum((name LIKE '%' || word.value || '%') * 4 + (ref LIKE '%' || word.value || '%') * 2
        + (coalesce(description, '') LIKE '%' || word.value || '%')) FROM json_each(?1) AS word) AS better
FROM models
WHERE (visibility = 'public' OR account = ?2
    OR account IN (SELECT organization FROM members WHERE account = ?2)) AND NOT EXISTS (
    SELECT 1 FROM json_each(?1) AS word
    WHERE (ref || ' ' || coalesce(description, '') || ' ' || readme) NOT LIKE '%' || word.value || '%')
ORDER BY better DESC, run_count DESC, ref LIMIT ?3;
