-- Datagrams that were larger than a network or an Agent takes whole: one row for each session and limit that it met.
CREATE TABLE large_datagram (
    session_id INTEGER NOT NULL,
    over INTEGER NOT NULL,    -- bytes: 1432 (UDP alone) or 8192; what is over both counts for the larger
    n INTEGER NOT NULL,
    largest INTEGER NOT NULL, -- bytes
    last_id INTEGER NOT NULL, -- the newest of them has records from this id on
    PRIMARY KEY (session_id, over)
) WITHOUT ROWID;
