-- The last sample that was less than the one before it, 0: none; NULL: not known, and none since.
ALTER TABLE summary ADD COLUMN fell_id INTEGER;

-- Samples whose timestamps lie where Datadog takes none, counted as they come: so lint need not look at each sample. What is there already is
-- looked at once. kind: core/stray.h.
CREATE TABLE stray (
    context_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    n INTEGER NOT NULL,
    timestamp INTEGER NOT NULL, -- of the first of them
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    PRIMARY KEY (context_id, kind)
) WITHOUT ROWID;
INSERT INTO stray (context_id, kind, n, timestamp, first_id, last_id)
SELECT DISTINCT context_id, kind, count(*) OVER spelling, first_value(timestamp) OVER spelling, min(id) OVER spelling, max(id) OVER spelling
FROM (
    SELECT context_id, id, timestamp,
        CASE WHEN timestamp > 100000000000 THEN 1 WHEN timestamp < now - 3600 THEN 2 WHEN timestamp > now + 600 THEN 3 END AS kind
    FROM (
        SELECT c.context_id, c.id + v.key AS id, v.value ->> CASE v.type WHEN 'array' THEN '$[0]' ELSE '$.ts' END AS timestamp,
            (SELECT received_at FROM arrival WHERE first_id <= c.id + v.key ORDER BY first_id DESC LIMIT 1) / 1000000000 AS now
        FROM chunk c CROSS JOIN json_each(CASE WHEN c.vals LIKE '{%[%' AND json_valid(c.vals) THEN c.vals ELSE '{}' END) v
        WHERE v.type IN ('array', 'object')
    )
    WHERE timestamp <> 0
)
WHERE kind IS NOT NULL
WINDOW spelling AS (PARTITION BY context_id, kind ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);
