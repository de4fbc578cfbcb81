-- Half of what is kept was timestamps and contexts: one timestamp for each row, and contexts that follow each other are a run. What a killed
-- recorder left becomes a row for each sample.
ALTER TABLE kept RENAME TO kept_before;
CREATE TABLE kept (
    first_id INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    source INTEGER NOT NULL,
    timestamp INTEGER,
    vals TEXT NOT NULL
);
INSERT INTO kept (first_id, received_at, source, vals)
SELECT k.first_id + e.key, k.received_at, k.source, '[[0,' || substr(e.value, 2) || ']'
FROM kept_before k CROSS JOIN json_each(CASE WHEN json_valid(k.vals) THEN k.vals ELSE '[]' END) e;
DROP TABLE kept_before;
