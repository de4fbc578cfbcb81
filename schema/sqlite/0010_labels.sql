-- Any words that say whose a session is: the name of a test.
ALTER TABLE session ADD COLUMN label TEXT;
