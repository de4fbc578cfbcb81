-- The tables of a new recording. What changes here is a migration for older files, too: the steps NNNN_name.sql, of which the last one's
-- number is the version. The views (views.sql) are the public contract.
-- README.md beside this folder says how the tables hang together and why they look as they do.
--
-- Ids: samples, events, service checks, rejects, requests and losses take their ids from one sequence, so that
-- "id > N" means "later than N" across all of them.
-- Units: *_at nanoseconds since 1970, timestamp and interval seconds.

PRAGMA application_id = 1400133492; -- "StWt"

-- last_id: the newest id ever given, kept when its row may be gone; next_id: the next one of a series or a spelling, once some were forgotten, as
-- none is given twice: readers remember what it stands for; hash_seed: of the hashes below; recording_high and _low: a random name
-- of 128 bits, by which a recording is known wherever it is copied; once something was committed: log, a random number of SQLite's log, and
-- log_before, that of the one before (decision 44).
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('last_id', 0), ('hash_seed', random()), ('recording_high', random()),
    ('recording_low', random());

-- What the small numbers mean: the words of core/metric.h and core/record.h in their order.
CREATE TABLE types (id INTEGER PRIMARY KEY, word TEXT NOT NULL);
INSERT INTO types VALUES
    (0, 'count'), (1, 'gauge'), (2, 'timing'), (3, 'histogram'), (4, 'distribution'), (5, 'set'), (6, 'rate');
CREATE TABLE sources (id INTEGER PRIMARY KEY, word TEXT NOT NULL);
INSERT INTO sources VALUES (0, 'udp'), (1, 'unixgram'), (2, 'unixstream'), (3, 'http');

-- era: counts the resets; part of the hashes, so that what was forgotten is never found again.
-- label: any words that say whose it is. reset_id: the newest id when it was made or last reset; what was lost before then is not its business.
CREATE TABLE session (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    api_key TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL DEFAULT 0,
    open INTEGER NOT NULL,
    era INTEGER NOT NULL DEFAULT 0,
    reset_id INTEGER NOT NULL DEFAULT 0,
    label TEXT
);

-- One name + type + set of tags + host + device, in one session.
-- spelling: most series are spelled in one way, which has nothing that they have not. Such a spelling, when it is the first one, has no row in
-- `context`: its id is that of the series, and its sample rate is 1. Empty: its tags came as they stand in `tags`. Else it is the hash of the
-- spelling, and `spelled` has its tags as received. NULL: each spelling has a row in `context`.
CREATE TABLE metric (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL,
    hash BLOB NOT NULL,
    name TEXT NOT NULL,
    type INTEGER NOT NULL,
    tags TEXT NOT NULL, -- JSON array, sorted by bytes, without repeats
    host TEXT,
    device TEXT,
    spelling BLOB,
    spelled TEXT
);
CREATE INDEX metric_name ON metric (name, session_id, type);
CREATE INDEX metric_session ON metric (session_id);

-- The summary of a series: apart from its texts, because each commit rewrites it. A number that is not one is NULL.
CREATE TABLE summary (
    metric_id INTEGER PRIMARY KEY,
    samples INTEGER NOT NULL,
    count REAL,
    sum REAL,
    min REAL,
    max REAL,
    last REAL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    sampled INTEGER NOT NULL, -- some sample came with a rate other than 1
    last_chunk INTEGER NOT NULL, -- head of the chain of its chunks
    fell_id INTEGER -- the last sample that was less than the one before it, 0: none; NULL: not known, as in a file of before it was noted
);

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
INSERT INTO session_count VALUES (1, 0, 0, 0, 0, 0);

-- One spelling of a series: what its samples have in common beyond the series itself. Ids are from one sequence with those of series, and the
-- first spelling of a series has that of the series; but for files from before version 13, where the two have nothing to do with each other.
-- remarks (here and below): what the Agent ignores inside a line that it takes. NULL: nothing. Else a JSON array, one object for each
-- remark, in the order of the line: {"remark": word, "text": what is ignored, "offset": of its first byte in `line`}. The line is the first
-- that had these remarks: later ones may have other values. Words and sentences: the list in core/remark.h.
CREATE TABLE context (
    id INTEGER PRIMARY KEY,
    metric_id INTEGER NOT NULL,
    hash BLOB NOT NULL,
    tags TEXT NOT NULL, -- JSON array, as received
    sample_rate REAL,   -- NULL: NaN
    container_id TEXT,
    external_data TEXT,
    cardinality TEXT,
    entity_id TEXT,
    jmx_check_name TEXT,
    inode INTEGER,
    unit TEXT,
    interval INTEGER NOT NULL,
    source_type TEXT,
    resources TEXT,
    remarks TEXT,
    line TEXT
);
CREATE INDEX context_metric ON context (metric_id);
CREATE INDEX context_remarks ON context (metric_id) WHERE remarks IS NOT NULL;

-- The samples of one context in one slice of the stream (a slice is at most 2,097,152 ids and never spans two commits).
-- vals: one bare JSON scalar; or {"offset from id": value, ...}; or, with a step, runs {"offset from id": [value, ...], ...}, in which each id
-- is greater by the step than the one before it. A value: a number, a string (sets), [timestamp, value], or an object (sketches).
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY, -- of its first sample
    context_id INTEGER NOT NULL,
    prev INTEGER,           -- the chunk before it of the same series
    n INTEGER NOT NULL,
    count REAL,             -- as the summary's columns, for this chunk alone
    sum REAL,
    min REAL,
    max REAL,
    vals TEXT NOT NULL,
    step INTEGER            -- NULL: vals has no runs
);

-- Samples whose timestamps lie where Datadog takes none, counted as they come: so lint need not look at each sample. Of samples that were
-- evicted some may be counted still: then first_id is less than the series' own. kind: core/stray.h.
CREATE TABLE stray (
    context_id INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    n INTEGER NOT NULL,
    timestamp INTEGER NOT NULL, -- of the first of them
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    PRIMARY KEY (context_id, kind)
) WITHOUT ROWID;

-- When and where samples came in: each row holds from its first_id to the next row's.
CREATE TABLE arrival (
    first_id INTEGER PRIMARY KEY,
    last_id INTEGER NOT NULL,
    slice_id INTEGER NOT NULL, -- the first id of the slice it lies in: no chunk crosses it
    received_at INTEGER NOT NULL,
    source INTEGER NOT NULL
);

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    source INTEGER NOT NULL,
    title TEXT NOT NULL,
    text TEXT,
    timestamp INTEGER NOT NULL,
    aggregation_key TEXT,
    priority TEXT,
    alert_type TEXT,
    source_type_name TEXT,
    tags TEXT NOT NULL,
    host TEXT,
    container_id TEXT,
    external_data TEXT,
    cardinality TEXT,
    entity_id TEXT,
    jmx_check_name TEXT,
    inode INTEGER,
    remarks TEXT,
    line TEXT
);
CREATE INDEX event_session ON event (session_id);
CREATE INDEX event_remarks ON event (id) WHERE remarks IS NOT NULL;

CREATE TABLE service_check (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    source INTEGER NOT NULL,
    name TEXT NOT NULL,
    status INTEGER NOT NULL,
    message TEXT,
    timestamp INTEGER NOT NULL,
    tags TEXT NOT NULL,
    host TEXT,
    container_id TEXT,
    external_data TEXT,
    cardinality TEXT,
    entity_id TEXT,
    jmx_check_name TEXT,
    inode INTEGER,
    remarks TEXT,
    line TEXT
);
CREATE INDEX service_check_session ON service_check (session_id);
CREATE INDEX service_check_remarks ON service_check (id) WHERE remarks IS NOT NULL;

CREATE TABLE reject (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    source INTEGER NOT NULL,
    name TEXT,
    reason TEXT NOT NULL,
    family TEXT,
    text TEXT,
    offset INTEGER NOT NULL,
    detail TEXT
);
CREATE INDEX reject_session ON reject (session_id);

CREATE TABLE request (
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
CREATE INDEX request_session ON request (session_id);

CREATE TABLE loss (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    session_id INTEGER, -- NULL: it concerns every session
    loss TEXT NOT NULL,
    n INTEGER NOT NULL,
    detail TEXT
);

-- With --keep-datagrams: the bytes as they came. Their records have ids above after_id.
CREATE TABLE datagram (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    source INTEGER NOT NULL,
    after_id INTEGER NOT NULL,
    bytes BLOB NOT NULL
);
-- From a record to the datagram that it came in.
CREATE INDEX datagram_after ON datagram (after_id);

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

-- Datagrams that were larger than a network or an Agent takes whole: one row for each session and limit that it met.
CREATE TABLE large_datagram (
    session_id INTEGER NOT NULL,
    over INTEGER NOT NULL,    -- bytes: 1432 (UDP alone) or 8192; what is over both counts for the larger
    n INTEGER NOT NULL,
    largest INTEGER NOT NULL, -- bytes
    last_id INTEGER NOT NULL, -- the newest of them has records from this id on
    PRIMARY KEY (session_id, over)
) WITHOUT ROWID;

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

-- The last reports of `expect` and `verify`, so that a finished run shows which claim failed and why. A slot is taken again when
-- all are taken: that of the oldest report that passed, else of the oldest. `id` rises with each report, and is no record's. `report`
-- is the answer as JSON; where that was too long, what passed is left out of it. `question` is a hash of what was asked: the same
-- question asked again takes the place of its earlier report, and `asked` counts.
CREATE TABLE verdict (
    slot INTEGER PRIMARY KEY,
    id INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    at INTEGER NOT NULL,
    asked INTEGER NOT NULL,
    question INTEGER NOT NULL,
    session TEXT NOT NULL,
    kind TEXT NOT NULL,
    verdict TEXT NOT NULL,
    report TEXT NOT NULL
);

-- What was acknowledged and does not stand in its tables yet: a recorder writes it here first, as that is one row instead of two for each
-- series, and folds it in with its next commit, some 50 ms later. Of one that was killed in between it stays here; whoever opens the
-- file next folds it in. The views show it at once. vals: [[place, context_id, value, value, ...], ...]: the value with the id
-- first_id + place, and those behind it, each of the next id and the next context_id; values as in `chunk`, but where a timestamp is given,
-- a bare number or string means [timestamp, value].
CREATE TABLE kept (
    first_id INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    source INTEGER NOT NULL,
    timestamp INTEGER,
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

INSERT INTO session (name, created_at, open) VALUES ('default', CAST(strftime('%s') AS INTEGER) * 1000000000, 1);
