-- The local node's name comes from a setting; without it, functions say so.

\set SHOW_CONTEXT never
DO $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	PERFORM local_node();
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RAISE INFO E'% %\nDETAIL: %\nHINT: %', state, message, detail, hint;
END
$$;

SET distributed.node = 'berlin';
SELECT local_node();
SELECT tick('{}'::vclock), receive('{"paris": 2}'::vclock, '{"oslo": 1}');

-- the default can be overridden, also by name
SELECT tick('{}'::vclock, 'paris'), tick(clock => '{}'::vclock, node => 'rome');

-- names: any text of 1 to 255 bytes
SET distributed.node = 'Zürich [main,5]';
SELECT tick('{}'::vclock);
SELECT set_config('distributed.node', repeat('x', 255), false) = local_node() AS longest;
SELECT set_config('distributed.node', repeat('x', 256), false);
SELECT octet_length(local_node());

-- a transaction's setting goes with it
SET distributed.node = 'berlin';
BEGIN;
SET LOCAL distributed.node = 'paris';
SELECT local_node();
ROLLBACK;
SELECT local_node();

RESET distributed.node;
SELECT tick('{}'::vclock);
