-- A fleet's recordings in ClickHouse, version 1. The same text runs on 18.16 (Debian 12) and on versions of today.
-- `statwit push --init` puts the name of the database in the place of {db}. With --cluster, {local} is _local, and a table without
-- that ending is made beside each, ENGINE = Distributed over it by shard_key; without, {local} is empty.
-- Rules that both versions need: no column is named like a keyword, strings are bytes, and there is no Nullable, Map, LowCardinality,
-- codec, TTL or index. Times are nanoseconds since 1970; `day` is in UTC.
-- Nothing here is ever changed. All rows belong to a push, and a push is visible once its row stands in `recordings`.

CREATE DATABASE IF NOT EXISTS {db};

CREATE TABLE IF NOT EXISTS {db}.schema_version (version UInt32, day Date) ENGINE = MergeTree() PARTITION BY toYYYYMM(day) ORDER BY version SETTINGS index_granularity = 8192;

-- A row for each finished push, written last. The newest row of a recording (by pushed_at) says which push holds it.
CREATE TABLE IF NOT EXISTS {db}.recordings{local} (
    shard_key UInt32,                                          -- low 32 bits of push: all rows of a push lie on one shard
    recording UUID, push UUID, day Date, pushed_at Int64,
    started_at Int64, ended_at Int64, last_id UInt64,          -- arrival of its first and last record; its newest id
    n_series UInt64, n_spellings UInt64, n_samples UInt64, n_records UInt64, -- what a reader must find
    lost UInt64,                                               -- the sum of its losses
    repo String, branch String, commit String, job String, run String, host String, version String,
    label_keys Array(String), label_values Array(String)
) ENGINE = MergeTree() PARTITION BY toYYYYMM(day) ORDER BY (recording, pushed_at) SETTINGS index_granularity = 8192;

-- A series with the summary that the recorder made: copied, never added up again. A NaN is a number that there is not.
CREATE TABLE IF NOT EXISTS {db}.series{local} (
    shard_key UInt32, push UUID, day Date, session String, id UInt64,
    name String, type UInt8,                                   -- 0 count, 1 gauge, 2 timing, 3 histogram, 4 distribution, 5 set, 6 rate
    tags Array(String),                                        -- sorted by bytes, without repeats
    host String, device String, given UInt8,                   -- bits: 1 host, 2 device was given
    samples UInt64, count Float64, sum Float64, min Float64, max Float64, last Float64,
    first_at Int64, last_at Int64, first_id UInt64, last_id UInt64, sampled UInt8
) ENGINE = MergeTree() PARTITION BY toYYYYMM(day) ORDER BY (name, type, push, id) SETTINGS index_granularity = 8192;

-- What some samples of a series have in common: tags as received, rate, origin, what an Agent ignores in their lines.
CREATE TABLE IF NOT EXISTS {db}.spellings{local} (
    shard_key UInt32, push UUID, day Date, series UInt64, id UInt32, tags Array(String), rate Float64,
    given UInt16,                                              -- bits, in order of these columns: which was given
    container_id String, external_data String, cardinality String, entity_id String, jmx_check_name String,
    inode UInt64, unit String, source_type String, resources String, line String,
    every_s Int64,
    remark_kinds Array(String), remark_texts Array(String), remark_offsets Array(UInt64)
) ENGINE = MergeTree() PARTITION BY toYYYYMM(day) ORDER BY (push, series, id) SETTINGS index_granularity = 8192;

CREATE TABLE IF NOT EXISTS {db}.samples{local} (
    shard_key UInt32, push UUID, day Date, block UInt32,       -- of one INSERT: what a retry asks for
    name String, type UInt8, series UInt64, id UInt64, spelling UInt32, at Int64, source UInt8, -- 0 udp, 1 unixgram, 2 unixstream, 3 http
    rate Float64, value Float64, text String,                  -- text: of sets; rate: the spelling's
    timestamp Int64,                                           -- seconds, as the client gave it; 0: none
    sk_n Int64, sk_sum Float64, sk_min Float64, sk_max Float64, sk_keys Array(Int32), sk_counts Array(UInt32) -- of sketches
) ENGINE = MergeTree() PARTITION BY toYYYYMM(day) ORDER BY (name, type, push, series, id) SETTINGS index_granularity = 8192;

-- All other records, so that one INSERT holds them: kind 0 event, 1 service check, 2 reject, 3 request, 4 loss, 5 session,
-- 6 large datagrams, 7 run.
CREATE TABLE IF NOT EXISTS {db}.records{local} (
    shard_key UInt32, push UUID, day Date, kind UInt8, id UInt64,
    given UInt32,                                              -- bit 0: session was given, bit 1: name, bit 2 + i: texts[i]
    session String, at Int64, source UInt8, name String, tags Array(String), texts Array(String), numbers Array(Int64)
) ENGINE = MergeTree() PARTITION BY toYYYYMM(day) ORDER BY (kind, push, id) SETTINGS index_granularity = 8192;

-- For people and dashboards: only what is visible.
CREATE VIEW IF NOT EXISTS {db}.visible AS
SELECT toUUID(argMax(toString(push), pushed_at)) AS push, recording, argMax(repo, pushed_at) AS repo, argMax(branch, pushed_at) AS branch,
       argMax(commit, pushed_at) AS commit, argMax(job, pushed_at) AS job, argMax(run, pushed_at) AS run, argMax(host, pushed_at) AS recorder_host,
       toDateTime(intDiv(argMax(started_at, pushed_at), 1000000000)) AS started, argMax(n_series, pushed_at) AS n_series,
       argMax(n_samples, pushed_at) AS n_samples, argMax(lost, pushed_at) AS lost
FROM {db}.recordings GROUP BY recording;

CREATE VIEW IF NOT EXISTS {db}.all_series AS
SELECT repo, branch, commit, job, run, session, name,
       arrayElement(['count', 'gauge', 'timing', 'histogram', 'distribution', 'set', 'rate'], toUInt32(type) + 1) AS type_word,
       tags, host, device, given, samples, count, sum, min, max, last, toDateTime(intDiv(first_at, 1000000000)) AS first_seen,
       toDateTime(intDiv(last_at, 1000000000)) AS last_seen, push, id
FROM (SELECT * FROM {db}.series) AS s ALL INNER JOIN (SELECT push, repo, branch, commit, job, run FROM {db}.visible) AS r USING (push);
