-- Of a chunk whose ids mostly lie equally far apart, `vals` has runs of values instead of a key for each. What is there already keeps its keys.
ALTER TABLE chunk ADD COLUMN step INTEGER;
