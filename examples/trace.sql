-- Thirty orders go through four services, whose spans come as OpenTelemetry sends them. Which
-- order failed, where, and why did it take so long? Where does the time of all orders go? And what
-- did the replica that refused it know? Each step is shown with its SQL and its answer.
--
--     psql -X -f examples/trace.sql
--     psql -X -v svg=order.svg -f examples/trace.sql      (and writes a picture of that order)
--
-- needs a database that has the extension, and leaves nothing behind, unless asked to with
-- -v keep=on: then the trace store is the schema shop. It prints the same every time.

\set QUIET on
\set ON_ERROR_STOP on
\set SHOW_CONTEXT never
\encoding UTF8
\pset pager off
\pset footer off
\pset null '-'
set client_min_messages = warning;

-- What the services send: the calls of each order, as OTLP/JSON. Order 17 waits for a lock, and then
-- there is nothing left.
create temp table calls as
with orders as (
  select n, 1795352400000000 + n * 700000 as base, n = 17 as fails,
    36000 + ('x' || left(md5('authorize' || n), 4))::bit(16)::integer % 9000 as authorize,
    case n when 17 then 174000 else 4000 + ('x' || left(md5('lock' || n), 4))::bit(16)::integer % 5000 end as lock,
    28000 + ('x' || left(md5('capture' || n), 4))::bit(16)::integer % 9000 as capture
  from generate_series(1, 30) n),
timed as (
  select *, authorize + 3300 as reserve, authorize + lock + 6300 as locked,
    authorize + lock + case when fails then 8000 else 14000 end as reserved from orders)
select n, span, parent, service, name, kind, base + from_us as from_us, base + to_us as to_us, message, attributes, events
from timed, lateral (values
  (1, null, 'web', 'POST /orders', 2, 0, reserved + capture + 4200, null, jsonb_build_object(
    'http.request.method', 'POST', 'http.route', '/orders', 'http.response.status_code', case when fails then 409 else 201 end,
    'http.request.header.authorization', 'Bearer ' || md5('token' || n)), null::text[]),
  (2, 1, 'orders', 'PlaceOrder', 2, 900, reserved + capture + 3000, null, jsonb_build_object('order.id', n, 'order.items', 1 + n % 3), null),
  (3, 2, 'payments', 'Authorize', 2, 2500, authorize + 2500, null, jsonb_build_object('order.id', n), null),
  (4, 3, 'payments', 'POST /authorize', 3, 4000, authorize + 1000, null, '{"server.address": "gateway.example"}', null),
  (5, 2, 'stock', 'Reserve', 2, reserve, reserved, case when fails then 'sold out' end, jsonb_build_object('order.id', n, 'item', 'lamp',
    'replica.clock', format('{"berlin": %s, "tokyo": %s}', n, 1 + (n > 17)::integer)), null),
  (6, 5, 'stock', 'SELECT item FOR UPDATE', 3, reserve + 1000, locked, null,
    '{"db.system": "postgresql", "db.query.text": "SELECT quantity FROM item WHERE name = $1 FOR UPDATE"}',
    case when fails then array['wait for lock', 'lock'] end),
  (7, 5, 'stock', 'UPDATE item', 3, locked + 600, reserved - 900, null, '{"db.system": "postgresql"}', null),
  (8, 2, 'orders', 'INSERT order', 3, reserved + 700, reserved + 9700, null, '{"db.system": "postgresql"}', null),
  (9, 2, 'payments', case when fails then 'Void' else 'Capture' end, 2, reserved + 900, reserved + capture + 900, null, jsonb_build_object('order.id', n), null),
  (10, 9, 'payments', case when fails then 'POST /void' else 'POST /capture' end, 3, reserved + 2400, reserved + capture, null,
    '{"server.address": "gateway.example"}', null)
) c (span, parent, service, name, kind, from_us, to_us, message, attributes, events)
where not (fails and span in (7, 8));

create function pg_temp.key_values(object jsonb) returns jsonb language sql as $$
  select coalesce(jsonb_agg(jsonb_build_object('key', key, 'value',
    case jsonb_typeof(value) when 'number' then jsonb_build_object('intValue', value #>> '{}')
      else jsonb_build_object('stringValue', value #>> '{}') end)), '[]')
  from jsonb_each(object)
$$;
create temp table sent as
select jsonb_build_object('resourceSpans', jsonb_agg(resource_spans order by service)) as payload
from (
  select service, jsonb_build_object(
    'resource', jsonb_build_object('attributes', pg_temp.key_values(jsonb_build_object('service.name', service))),
    'scopeSpans', jsonb_build_array(jsonb_build_object('spans', jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
      'traceId', md5('order ' || n), 'spanId', left(md5(n || '/' || span), 16), 'parentSpanId', left(md5(n || '/' || parent), 16),
      'name', name, 'kind', kind, 'startTimeUnixNano', from_us || '000', 'endTimeUnixNano', to_us || '000',
      'attributes', pg_temp.key_values(attributes),
      'events', (select jsonb_agg(jsonb_build_object('name', event,
          'timeUnixNano', (case i when 1 then from_us + 4000 else to_us - 5000 end) || '000'))
        from unnest(events) with ordinality e (event, i)),
      'status', case when message is not null then jsonb_build_object('code', 2, 'message', message) end)) order by n, span)))) as resource_spans
  from calls group by service) s;

\echo
\echo '== Spans come in =================================================================='
\echo 'Four services have sent their spans as OTLP/JSON, what any OpenTelemetry SDK writes. One:'
\echo
\set ECHO queries
select jsonb_pretty(payload #> '{resourceSpans,2,scopeSpans,0,spans,3}') as span from sent \g (format=unaligned tuples_only=on)
\echo
select create_trace_store('shop') as spans;
select i.* from sent, ingest_otlp('shop', payload) i;
\set ECHO none
\echo 'The network was not sure, so they are sent once more. Nothing happens:'
\echo
\set ECHO queries
select i.* from sent, ingest_otlp('shop', payload) i;
\set ECHO none
\echo 'A token was among the attributes, and did not come in:'
\echo
\set ECHO queries
select attributes ->> 'http.request.header.authorization' as token, count(*) from shop.spans
where name = 'POST /orders' group by 1;
\set ECHO none

\echo '== What failed? ==================================================================='
\echo
\set ECHO queries
select trace_id, root_service || ' ' || root_name as root, span_count, error_count, services
from find_traces('shop', tags => '{"error": "true"}');
\set ECHO none
\echo 'Which of the orders were slow in the database? The same one:'
\echo
\set ECHO queries
select trace_id from find_traces('shop', service => 'stock', tags => '{"db.system": "postgresql"}', duration_min => '50 ms');
\set ECHO none
select trace_id as failed from find_traces('shop', tags => '{"error": "true"}') \gset
\echo '== One trace, as a tree ==========================================================='
\echo
\set ECHO queries
select repeat('  ', depth) || service_name || ': ' || name as span, round((start_ns - min(start_ns) over ()) / 1e6, 1) as start_ms,
       round((end_ns - start_ns) / 1e6, 1) as took_ms, nullif(status, 'unset') as status
from span_tree('shop', :'failed') order by enter;
\set ECHO none

\echo '== Why did it take so long? ======================================================='
\echo 'The critical path, from the end back: what the answer was waiting for at each moment.'
\echo
\set ECHO queries
select s.service_name || ': ' || s.name as span, round((section_end - section_start) / 1e6, 1) as waited_ms
from critical_path('shop', :'failed') p join shop.spans s on s.trace_id = :'failed' and s.span_id = p.span_id
order by section_end - section_start desc limit 4;
\set ECHO none
\echo 'A lock in the database. Is that so in all orders? Their critical paths together, and what spans'
\echo 'spent themselves rather than waiting for those below them:'
\echo
\set ECHO queries
select service_name || ': ' || operation as operation, traces, round(self_ns / 1e6, 1) as ms, round(100 * share) || ' %' as share
from critical_path_summary('shop') order by self_ns desc limit 4;

select t.service_name, round(sum(self_ns) / 1e6, 1) as self_ms
from shop.traces, self_time('shop', traces.trace_id) t group by 1 order by 2 desc;
\set ECHO none
\echo 'No: the others wait for the payment gateway. Who calls whom, and how did it go?'
\echo
\set ECHO queries
select caller, callee, calls, errors, round(mean_ns / 1e6, 1) as mean_ms, round(max_ns / 1e6, 1) as max_ms from service_graph('shop');
\set ECHO none

\echo '== What did it know? =============================================================='
\echo 'The order failed because lamps were sold out. The stock is replicated; each change has a vector'
\echo 'clock, and so has each reservation: the clock of the replica that answered.'
\echo
\set ECHO queries
create temp table lamps (node text, change integer, why text, clock vclock);
insert into lamps values
  ('berlin',  20, 'delivered', '{"berlin": 1}'),
  ('tokyo',   -4, 'sold',      '{"berlin": 1, "tokyo": 1}'),
  ('berlin', -16, 'sold',      '{"berlin": 17, "tokyo": 1}'),
  ('tokyo',   50, 'delivered', '{"berlin": 1, "tokyo": 2}'),
  ('berlin',  -1, 'sold',      '{"berlin": 18, "tokyo": 2}');

update shop.spans set clock = (attributes ->> 'replica.clock')::vclock where attributes ? 'replica.clock';

select l.node, l.change, l.why, causal_order(l.clock, s.clock) as to_the_reservation,
       sum(change) filter (where l.clock <@ s.clock) over (order by l.clock) as known
from shop.spans s, lamps l where s.trace_id = :'failed' and s.clock is not null order by l.clock;
\set ECHO none
\echo 'There were 50 lamps in Tokyo. Berlin, who answered, had not heard of them: the delivery there'
\echo 'and the reservation here are concurrent. No retry at this replica would have helped, only a merge.'

\if :{?svg}
\echo
\echo '== A picture ======================================================================'
\echo
\set ECHO queries
select trace_svg('shop', :'failed') \g (format=unaligned tuples_only=on) :svg
\set ECHO none
\endif
\if :{?keep}
\else
drop schema shop cascade;
\endif
