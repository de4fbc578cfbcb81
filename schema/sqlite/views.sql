-- The public contract: what a person with a `sqlite3` shell reads. Made anew whenever a recording is migrated.
-- Times are RFC 3339 text in UTC; the same as nanoseconds since 1970 stands in the *_ns columns.

CREATE VIEW sessions AS
SELECT id, name, api_key, open,
       strftime('%Y-%m-%dT%H:%M:%S', created_at / 1000000000, 'unixepoch') || printf('.%09dZ', created_at % 1000000000) AS created_at,
       CASE WHEN expires_at > 0 THEN strftime('%Y-%m-%dT%H:%M:%S', expires_at / 1000000000, 'unixepoch')
            || printf('.%09dZ', expires_at % 1000000000) END AS expires_at,
       label
FROM session;

-- For `samples` and `series`: what was acknowledged and does not stand in chunks and summaries yet. It is empty but for the 50 ms before a
-- recorder's next commit, and in the file of one that was killed then. What is kept has the sample rate 1.
CREATE VIEW kept_samples AS
SELECT id, received_at, source, context_id, metric_id,
       CASE WHEN type = 5 THEN NULL WHEN kind = 'array' THEN json_extract(raw, '$[1]') WHEN kind = 'object' THEN json_extract(raw, '$.avg')
            ELSE raw END AS value,
       CASE WHEN type <> 5 THEN NULL WHEN kind = 'array' THEN json_extract(raw, '$[1]') ELSE raw END AS text,
       CASE kind WHEN 'array' THEN json_extract(raw, '$[0]') WHEN 'object' THEN nullif(json_extract(raw, '$.ts'), 0) ELSE stamp END AS timestamp,
       CASE kind WHEN 'object' THEN raw END AS sketch
FROM (
    SELECT k.first_id + json_extract(r.value, '$[0]') + e.key - 2 AS id, k.received_at, k.source, k.timestamp AS stamp,
           json_extract(r.value, '$[1]') + e.key - 2 AS context_id, m.id AS metric_id, m.type, e.value AS raw, e.type AS kind
    FROM kept k CROSS JOIN json_each(k.vals) r CROSS JOIN json_each(r.value) e ON e.key >= 2
         LEFT JOIN context x ON x.id = json_extract(r.value, '$[1]') + e.key - 2
         CROSS JOIN metric m ON m.id = coalesce(x.metric_id, json_extract(r.value, '$[1]') + e.key - 2)
);

CREATE VIEW series AS
SELECT m.id, s.name AS session, m.name, t.word AS type, m.tags, m.host, m.device,
       coalesce(y.samples, 0) + coalesce(k.samples, 0) AS samples,
       CASE WHEN k.samples IS NULL THEN y.count ELSE coalesce(y.count, 0) + k.count END AS count,
       CASE WHEN k.samples IS NULL THEN y.sum WHEN y.samples IS NULL THEN k.sum ELSE y.sum + k.sum END AS sum,
       CASE WHEN k.samples IS NULL THEN y.min ELSE min(coalesce(y.min, k.min), coalesce(k.min, y.min)) END AS min,
       CASE WHEN k.samples IS NULL THEN y.max ELSE max(coalesce(y.max, k.max), coalesce(k.max, y.max)) END AS max,
       CASE WHEN k.samples IS NULL THEN y.last ELSE k.last END AS last,
       strftime('%Y-%m-%dT%H:%M:%S', coalesce(y.first_at, k.first_at) / 1000000000, 'unixepoch')
           || printf('.%09dZ', coalesce(y.first_at, k.first_at) % 1000000000) AS first_at,
       strftime('%Y-%m-%dT%H:%M:%S', coalesce(k.last_at, y.last_at) / 1000000000, 'unixepoch')
           || printf('.%09dZ', coalesce(k.last_at, y.last_at) % 1000000000) AS last_at,
       coalesce(y.sampled, 0) AS sampled, coalesce(y.first_id, k.first_id) AS first_id, coalesce(k.last_id, y.last_id) AS last_id,
       coalesce(y.first_at, k.first_at) AS first_at_ns, coalesce(k.last_at, y.last_at) AS last_at_ns
FROM metric m CROSS JOIN session s ON s.id = m.session_id CROSS JOIN types t ON t.id = m.type
     LEFT JOIN summary y ON y.metric_id = m.id
     LEFT JOIN (SELECT a.*, CAST(z.value AS REAL) AS last, z.received_at AS last_at
                FROM (SELECT metric_id, count(*) AS samples, total(coalesce(json_extract(sketch, '$.n'), 1)) AS count,
                             sum(CAST(coalesce(json_extract(sketch, '$.sum'), value) AS REAL)) AS sum,
                             min(CAST(coalesce(json_extract(sketch, '$.min'), value) AS REAL)) AS min,
                             max(CAST(coalesce(json_extract(sketch, '$.max'), value) AS REAL)) AS max,
                             min(received_at) AS first_at, min(id) AS first_id, max(id) AS last_id
                      FROM kept_samples GROUP BY metric_id) a
                JOIN kept_samples z ON z.id = a.last_id) k ON k.metric_id = m.id
WHERE y.metric_id IS NOT NULL OR k.metric_id IS NOT NULL;

-- For each series: walk the chain of its chunks, then open up their values. A spelling without a row in `context` is the series' own.
CREATE VIEW samples AS
SELECT id, session,
       strftime('%Y-%m-%dT%H:%M:%S', received_at_ns / 1000000000, 'unixepoch') || printf('.%09dZ', received_at_ns % 1000000000) AS received_at,
       source, name, type, value, text, sample_rate, tags, host, timestamp, interval, unit, container_id, external_data,
       cardinality, entity_id, device, source_type, resources, series_id, received_at_ns, remarks, line AS remarked_line
FROM (
    SELECT c.id + r.key + coalesce(v.key, 0) * coalesce(c.step, 1) AS id, s.name AS session,
           (SELECT a.received_at FROM arrival a WHERE a.first_id <= c.id + r.key + coalesce(v.key, 0) * coalesce(c.step, 1) ORDER BY a.first_id DESC LIMIT 1) AS received_at_ns,
           (SELECT o.word FROM arrival a JOIN sources o ON o.id = a.source
            WHERE a.first_id <= c.id + r.key + coalesce(v.key, 0) * coalesce(c.step, 1) ORDER BY a.first_id DESC LIMIT 1) AS source,
           m.name, t.word AS type,
           CASE WHEN m.type = 5 THEN NULL WHEN v.type = 'array' THEN json_extract(v.value, '$[1]')
                WHEN v.type = 'object' THEN json_extract(v.value, '$.avg') ELSE v.value END AS value,
           CASE WHEN m.type <> 5 THEN NULL WHEN v.type = 'array' THEN json_extract(v.value, '$[1]') ELSE v.value END AS text,
           iif(x.id IS NULL, 1.0, x.sample_rate) AS sample_rate, coalesce(x.tags, m.spelled, m.tags) AS tags, m.host,
           CASE v.type WHEN 'array' THEN json_extract(v.value, '$[0]') WHEN 'object' THEN nullif(json_extract(v.value, '$.ts'), 0) END AS timestamp,
           nullif(x.interval, 0) AS interval, x.unit, x.container_id, x.external_data, x.cardinality, x.entity_id,
           m.device, x.source_type, x.resources, m.id AS series_id, x.remarks, x.line
    FROM metric m CROSS JOIN summary y ON y.metric_id = m.id CROSS JOIN session s ON s.id = m.session_id
         CROSS JOIN types t ON t.id = m.type
         CROSS JOIN json_each((
             WITH RECURSIVE chain (id) AS (
                 SELECT y.last_chunk UNION ALL
                 SELECT l.prev FROM chain CROSS JOIN chunk l ON l.id = chain.id WHERE l.prev IS NOT NULL)
             SELECT json_group_array(id) FROM (SELECT id FROM chain ORDER BY id))) k
         CROSS JOIN chunk c ON c.id = k.value LEFT JOIN context x ON x.id = c.context_id
         CROSS JOIN json_each(CASE WHEN c.step THEN c.vals ELSE '[0]' END) r -- runs: the key is their place
         CROSS JOIN json_each(CASE WHEN c.step THEN r.value ELSE c.vals END) v
    UNION ALL
    SELECT k.id, s.name, k.received_at, o.word, m.name, t.word, k.value, k.text,
           iif(x.id IS NULL, 1.0, x.sample_rate), coalesce(x.tags, m.spelled, m.tags), m.host, k.timestamp, nullif(x.interval, 0), x.unit, x.container_id, x.external_data, x.cardinality,
           x.entity_id, m.device, x.source_type, x.resources, m.id, x.remarks, x.line
    FROM kept_samples k LEFT JOIN context x ON x.id = k.context_id CROSS JOIN metric m ON m.id = k.metric_id
         CROSS JOIN session s ON s.id = m.session_id CROSS JOIN types t ON t.id = m.type CROSS JOIN sources o ON o.id = k.source
);

CREATE VIEW events AS
SELECT e.id, s.name AS session,
       strftime('%Y-%m-%dT%H:%M:%S', e.received_at / 1000000000, 'unixepoch') || printf('.%09dZ', e.received_at % 1000000000) AS received_at,
       o.word AS source, e.title, e.text, nullif(e.timestamp, 0) AS timestamp, e.aggregation_key, e.priority, e.alert_type, e.source_type_name,
       e.tags, e.host, e.container_id, e.external_data, e.cardinality, e.entity_id, e.received_at AS received_at_ns,
       e.remarks, e.line AS remarked_line
FROM event e CROSS JOIN session s ON s.id = e.session_id CROSS JOIN sources o ON o.id = e.source;

CREATE VIEW service_checks AS
SELECT c.id, s.name AS session,
       strftime('%Y-%m-%dT%H:%M:%S', c.received_at / 1000000000, 'unixepoch') || printf('.%09dZ', c.received_at % 1000000000) AS received_at,
       o.word AS source, c.name, CASE c.status WHEN 0 THEN 'ok' WHEN 1 THEN 'warning' WHEN 2 THEN 'critical' ELSE 'unknown' END AS status,
       c.message, nullif(c.timestamp, 0) AS timestamp, c.tags, c.host, c.container_id, c.external_data, c.cardinality, c.entity_id,
       c.received_at AS received_at_ns, c.remarks, c.line AS remarked_line
FROM service_check c CROSS JOIN session s ON s.id = c.session_id CROSS JOIN sources o ON o.id = c.source;

-- What the Agent ignores inside lines that it takes, a row for each remark. A metric's are those of one spelling of a series, however
-- many samples have it (series_id leads to them); an event's and a check's have the record's id.
CREATE VIEW remarks AS
SELECT s.name AS session, 'metric' AS family, m.name, json_extract(r.value, '$.remark') AS remark,
       json_extract(r.value, '$.text') AS text, json_extract(r.value, '$.offset') AS offset, x.line,
       m.id AS series_id, NULL AS record_id
FROM context x CROSS JOIN metric m ON m.id = x.metric_id CROSS JOIN session s ON s.id = m.session_id CROSS JOIN json_each(x.remarks) r
WHERE x.remarks IS NOT NULL
UNION ALL
SELECT s.name, 'event', e.title, json_extract(r.value, '$.remark'), json_extract(r.value, '$.text'),
       json_extract(r.value, '$.offset'), e.line, NULL, e.id
FROM event e CROSS JOIN session s ON s.id = e.session_id CROSS JOIN json_each(e.remarks) r WHERE e.remarks IS NOT NULL
UNION ALL
SELECT s.name, 'service_check', c.name, json_extract(r.value, '$.remark'), json_extract(r.value, '$.text'),
       json_extract(r.value, '$.offset'), c.line, NULL, c.id
FROM service_check c CROSS JOIN session s ON s.id = c.session_id CROSS JOIN json_each(c.remarks) r WHERE c.remarks IS NOT NULL;

CREATE VIEW rejects AS
SELECT r.id, s.name AS session,
       strftime('%Y-%m-%dT%H:%M:%S', r.received_at / 1000000000, 'unixepoch') || printf('.%09dZ', r.received_at % 1000000000) AS received_at,
       o.word AS source, r.reason, r.detail, r.text, r.offset, r.family, r.name, r.received_at AS received_at_ns
FROM reject r CROSS JOIN session s ON s.id = r.session_id CROSS JOIN sources o ON o.id = r.source;

CREATE VIEW requests AS
SELECT r.id, s.name AS session,
       strftime('%Y-%m-%dT%H:%M:%S', r.received_at / 1000000000, 'unixepoch') || printf('.%09dZ', r.received_at % 1000000000) AS received_at,
       r.method, r.path, r.query, r.status, r.wire_bytes, r.body_bytes, r.encoding, r.content_type, r.user_agent, r.api_key,
       coalesce(r.body, (SELECT CAST(p.bytes AS TEXT) FROM payload p WHERE p.id = r.id)) AS body, r.note, r.received_at AS received_at_ns
FROM (SELECT * FROM request UNION ALL SELECT * FROM kept_request) r CROSS JOIN session s ON s.id = r.session_id;

-- With --keep-bodies: the bodies of POSTs as they came.
CREATE VIEW payloads AS
SELECT p.id, s.name AS session,
       strftime('%Y-%m-%dT%H:%M:%S', p.received_at / 1000000000, 'unixepoch') || printf('.%09dZ', p.received_at % 1000000000) AS received_at,
       p.path, r.encoding, r.content_type, p.api_key, p.headers, length(p.bytes) AS n_bytes, p.bytes, p.received_at AS received_at_ns
FROM payload p CROSS JOIN request r ON r.id = p.id CROSS JOIN session s ON s.id = p.session_id;

-- With --keep-datagrams: what came over UDP and Unix sockets, byte for byte. Its records have ids from after_id + 1 on.
CREATE VIEW datagrams AS
SELECT d.id, s.name AS session,
       strftime('%Y-%m-%dT%H:%M:%S', d.received_at / 1000000000, 'unixepoch') || printf('.%09dZ', d.received_at % 1000000000) AS received_at,
       o.word AS source, d.after_id, length(d.bytes) AS n_bytes, CAST(d.bytes AS TEXT) AS text, d.bytes, d.received_at AS received_at_ns
FROM datagram d CROSS JOIN session s ON s.id = d.session_id CROSS JOIN sources o ON o.id = d.source;

CREATE VIEW large_datagrams AS
SELECT s.name AS session, d.over, d.n, d.largest
FROM large_datagram d JOIN session s ON s.id = d.session_id;

CREATE VIEW losses AS
SELECT l.id,
       strftime('%Y-%m-%dT%H:%M:%S', l.at / 1000000000, 'unixepoch') || printf('.%09dZ', l.at % 1000000000) AS at,
       s.name AS session, l.loss, l.n, l.detail, l.at AS at_ns
FROM loss l LEFT JOIN session s ON s.id = l.session_id;

-- ended_cleanly is 0 for a run that goes on and for one that died.
CREATE VIEW runs AS
SELECT id,
       strftime('%Y-%m-%dT%H:%M:%S', started_at / 1000000000, 'unixepoch') || printf('.%09dZ', started_at % 1000000000) AS started_at,
       strftime('%Y-%m-%dT%H:%M:%S', ended_at / 1000000000, 'unixepoch') || printf('.%09dZ', ended_at % 1000000000) AS ended_at,
       ended_at IS NOT NULL AS ended_cleanly, version, mark, started_at AS started_at_ns, ended_at AS ended_at_ns
FROM run;

-- What was judged: the last reports of `expect` and `verify`. The session is a name, also of one that is gone.
CREATE VIEW verdicts AS
SELECT id, strftime('%Y-%m-%dT%H:%M:%S', at / 1000000000, 'unixepoch') || printf('.%09dZ', at % 1000000000) AS at,
       session, kind, verdict, asked, report, at AS at_ns
FROM verdict;
