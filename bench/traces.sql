-- Ids of traces, against uuid.

\echo '==> joining by trace_id'
CREATE TABLE trace_ids AS SELECT random_trace_id() AS id FROM generate_series(1, 1000000);
ALTER TABLE trace_ids ADD u uuid;
UPDATE trace_ids SET u = id;
CREATE TABLE by_trace_id AS SELECT id FROM trace_ids ORDER BY md5(id::text);
CREATE TABLE by_uuid AS SELECT id::uuid AS u FROM by_trace_id;
CREATE TABLE of_trace_id AS SELECT id FROM trace_ids;
CREATE TABLE of_uuid AS SELECT u FROM trace_ids;
DROP TABLE trace_ids;
VACUUM (FREEZE, ANALYZE) by_trace_id, by_uuid, of_trace_id, of_uuid;
CALL compare('join of 1M rows by trace_id : by uuid', 'SELECT count(*) FROM of_trace_id JOIN by_trace_id USING (id)', 'SELECT count(*) FROM of_uuid JOIN by_uuid USING (u)', 1.1);
CALL compare('sort of 1M trace_id : uuid', 'SELECT count(*) FROM (SELECT id FROM by_trace_id ORDER BY id OFFSET 0) s', 'SELECT count(*) FROM (SELECT u FROM by_uuid ORDER BY u OFFSET 0) s', 1.1);
