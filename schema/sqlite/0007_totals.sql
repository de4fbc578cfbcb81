-- What a page asks for again and again is kept: the totals of names that have many series, and how many records a session holds.
-- The totals of what is recorded already are written with the next commit.
DROP INDEX metric_name;
CREATE INDEX metric_name ON metric (name, session_id, type);

-- What all series of one session, name and type come to, where there are so many of them (32) that reading each would take long. A name
-- without a row is what its series come to: a row is there or not, and when it is there it is right.
CREATE TABLE name_total (
    metric_id INTEGER PRIMARY KEY, -- the oldest of these series
    series INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    count REAL,
    sum REAL,
    min REAL,
    max REAL,
    last REAL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    tag_keys TEXT NOT NULL -- JSON array: the first eight keys that they have
);

-- How many of each a session holds.
CREATE TABLE session_count (
    session_id INTEGER PRIMARY KEY,
    samples INTEGER NOT NULL,
    series INTEGER NOT NULL,
    events INTEGER NOT NULL,
    checks INTEGER NOT NULL,
    rejects INTEGER NOT NULL
);
INSERT INTO session_count
SELECT s.id,
    (SELECT coalesce(sum(y.samples), 0) FROM metric m CROSS JOIN summary y ON y.metric_id = m.id WHERE m.session_id = s.id),
    (SELECT count(*) FROM metric WHERE session_id = s.id), (SELECT count(*) FROM event WHERE session_id = s.id),
    (SELECT count(*) FROM service_check WHERE session_id = s.id), (SELECT count(*) FROM reject WHERE session_id = s.id)
FROM session s;
