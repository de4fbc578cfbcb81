-- Two users for a fleet's recordings, with no more rights than they need, for a ClickHouse that knows GRANT (20.4 or later); older ones take users.xml.
-- Replace the passwords. No SOURCES (remote(), url(), file()) are granted, so neither can make the engine ask other hosts.
CREATE USER IF NOT EXISTS statwit_push IDENTIFIED BY 'replace me';
GRANT SELECT, INSERT ON statwit.* TO statwit_push;
CREATE USER IF NOT EXISTS statwit_read IDENTIFIED BY 'replace me';
GRANT SELECT ON statwit.* TO statwit_read;
-- Tables that go along with a question are temporary ones.
GRANT CREATE TEMPORARY TABLE ON *.* TO statwit_push, statwit_read;
-- What an engine is asked before: which settings it has, and whether an INSERT is still at work. Most versions show these to everybody.
GRANT SELECT ON system.settings TO statwit_push, statwit_read;
GRANT SELECT ON system.processes TO statwit_push;
