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

-- A random name of 128 bits, by which a recording is known wherever it is copied.
INSERT INTO counters VALUES ('recording_high', random()), ('recording_low', random());
