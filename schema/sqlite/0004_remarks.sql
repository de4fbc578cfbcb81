-- What the Agent ignores inside a line that it takes. NULL: nothing. Else a JSON array, one object for each remark, in the order of
-- the line: {"remark": word, "text": what is ignored, "offset": of its first byte in `line`}. A context's line is the first that had
-- these remarks: later ones may have other values. Words and sentences: the list in core/remark.h.
ALTER TABLE context ADD COLUMN remarks TEXT;
ALTER TABLE context ADD COLUMN line TEXT;
ALTER TABLE event ADD COLUMN remarks TEXT;
ALTER TABLE event ADD COLUMN line TEXT;
ALTER TABLE service_check ADD COLUMN remarks TEXT;
ALTER TABLE service_check ADD COLUMN line TEXT;
CREATE INDEX context_remarks ON context (metric_id) WHERE remarks IS NOT NULL;
CREATE INDEX event_remarks ON event (id) WHERE remarks IS NOT NULL;
CREATE INDEX service_check_remarks ON service_check (id) WHERE remarks IS NOT NULL;
