-- What one `serve` or `run` recorded, from start to stop. A row without an end is an open mark: its recorder is at work, or it
-- died, and what it had not written down is missing.
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,      -- NULL: it goes on, or it did not end cleanly
    version TEXT NOT NULL, -- of statwit
    mark INTEGER NOT NULL  -- the newest id before it: its records have greater ones
);

-- The last UDP ports that sessions listened on, oldest first: who still sends there must not reach another session.
CREATE TABLE used_port (id INTEGER PRIMARY KEY, port INTEGER NOT NULL);

-- The recording's name, by which it is known wherever it is copied. That of a new one is random; here it is when the first record came and when the last
-- one did, as each reader of an older file has a migrated copy of its own.
INSERT INTO counters
    WITH record (at) AS (
        SELECT received_at FROM arrival UNION ALL SELECT received_at FROM event UNION ALL SELECT received_at FROM service_check
        UNION ALL SELECT received_at FROM reject UNION ALL SELECT received_at FROM request)
    SELECT 'recording_high', coalesce(min(at), (SELECT min(created_at) FROM session)) FROM record
    UNION ALL SELECT 'recording_low', coalesce(max(at), (SELECT max(created_at) FROM session)) FROM record;
