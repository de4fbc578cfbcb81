-- With --keep-bodies (and --fakeintake, --auto-sessions): the body of a POST as it came, once, and what only those need who ask for it
-- again. It goes together with its request.
CREATE TABLE payload (
    id INTEGER PRIMARY KEY,      -- of its request
    session_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    path TEXT NOT NULL,          -- decoded, with all its slashes
    api_key TEXT,                -- whole: a request shows only the end of it
    headers TEXT,                -- JSON object
    bytes BLOB NOT NULL
);
CREATE INDEX payload_path ON payload (session_id, path);

-- From a record to the datagram that it came in.
CREATE INDEX datagram_after ON datagram (after_id);
