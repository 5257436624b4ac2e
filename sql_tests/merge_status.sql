-- How merged tables stand: merge_table and merge_row have what becomes of rows, and each problem.

\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET distributed.node = 'status';
CREATE SCHEMA merge_status_test;
SET search_path = merge_status_test, public;

CREATE TABLE fine (id int PRIMARY KEY, n gcounter NOT NULL DEFAULT '{}', note text);
SELECT enable_merge('fine');
SELECT table_name, plain_columns, concurrent_update, key_columns, lattice_columns, stamped_columns, incomplete, problems FROM merge_status() WHERE table_name = 'fine'::regclass;
-- each trigger is missed
CREATE FUNCTION problems_after(change text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	found text[];
BEGIN
	EXECUTE change;
	SELECT problems INTO found FROM merge_status() WHERE table_name = 'fine'::regclass;
	RAISE EXCEPTION USING errcode = 'ZZZZZ', message = found::text;
EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN
	RETURN SQLERRM::text[];
END $$;
SELECT change, problems_after(change) FROM unnest(ARRAY['ALTER TABLE fine DISABLE TRIGGER "~merge_row"', 'ALTER TABLE fine ENABLE REPLICA TRIGGER "~merge_after"', 'DROP TRIGGER "~merge_after" ON fine', 'DROP TRIGGER "~merge_truncate" ON fine',
	'ALTER TABLE fine DROP CONSTRAINT "~merge_arrivals"', 'ALTER TABLE fine DROP CONSTRAINT "~merge_arrivals", ADD CONSTRAINT "~merge_arrivals" CHECK (true)', 'ALTER TABLE fine DROP CONSTRAINT fine_pkey', 'ALTER TABLE fine ADD more text', 'ALTER TABLE fine ADD UNIQUE (note)',
	'ALTER TABLE fine ALTER note TYPE varchar(5)', 'DROP TABLE fine_removed CASCADE', 'DROP TRIGGER "~merge_removed" ON fine_removed']) change;
-- a table that has no trigger of ours is none
BEGIN;
DROP TRIGGER "~merge_row" ON fine;
SELECT count(*) FROM merge_status() WHERE table_name = 'fine'::regclass;
ROLLBACK;

SET client_min_messages = warning;
DROP SCHEMA merge_status_test CASCADE;
RESET distributed.node;
