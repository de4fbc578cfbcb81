-- What was acknowledged and does not stand in its tables yet: a recorder writes it here first, as that is one row instead of two for each
-- series, and folds it in with its next commit, some 50 ms later. Of one that was killed in between it stays here; whoever opens the
-- file next folds it in. The views show it at once. vals: [[context_id, value], ...] of the ids from first_id on; values as in `chunk`.
CREATE TABLE kept (
    first_id INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    source INTEGER NOT NULL,
    vals TEXT NOT NULL
);
CREATE TABLE kept_request (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    source INTEGER NOT NULL,
    method TEXT,
    path TEXT,
    query TEXT,
    status INTEGER NOT NULL,
    wire_bytes INTEGER NOT NULL,
    body_bytes INTEGER NOT NULL,
    encoding TEXT,
    content_type TEXT,
    user_agent TEXT,
    api_key TEXT,
    body TEXT,
    note TEXT
);
