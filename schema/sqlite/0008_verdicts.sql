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
