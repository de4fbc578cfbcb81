-- A series' first spelling needs no row in `context` where it has nothing that the series has not. What was recorded before keeps its rows.
ALTER TABLE metric ADD COLUMN spelling BLOB;
ALTER TABLE metric ADD COLUMN spelled TEXT;
