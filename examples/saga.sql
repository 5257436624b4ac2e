-- Three nodes watch the steps of a saga. Any two of them agree, and yet nobody has seen the whole
-- saga committed; a late report settles it, and another contradicts. Then two replicas that tell
-- the end of a lease differently. Each step is shown with its SQL and its answer.
--
--     psql -X -f examples/saga.sql
--
-- needs a database that has the extension, and leaves nothing behind. It prints the same every
-- time.

\set QUIET on
\set ON_ERROR_STOP on
\set SHOW_CONTEXT never
\encoding UTF8
\pset pager off
\pset footer off
\pset null '-'
set client_min_messages = warning;

\echo
\echo '== An order is a saga ============================================================='
\echo 'Its steps run on different servers, and all of them must be committed, or all aborted.'
\echo 'Three nodes watch; each reports what it has heard. Of order 7 each has heard of two steps.'
\echo
\set ECHO queries
create temp table reports (id serial, saga text, obligation text, node text, state lattice_state);
insert into reports (saga, obligation, node, state) values
  ('order-7', 'charge', 'berlin', 'committed'), ('order-7', 'pack', 'berlin', 'committed'),
  ('order-7', 'pack', 'lima', 'committed'),     ('order-7', 'ship', 'lima', 'committed'),
  ('order-7', 'ship', 'tokyo', 'committed'),    ('order-7', 'charge', 'tokyo', 'committed'),
  ('order-7', 'ship', 'berlin', 'reserved'),    ('order-7', 'charge', 'lima', 'reserved'),
  ('order-7', 'pack', 'tokyo', 'reserved');
\set ECHO none

\echo
\echo '== Every pair agrees =============================================================='
\echo 'What any two nodes know together: all steps are committed, and nothing contradicts.'
\echo
\set ECHO queries
with view as (select node, observe(obligation, node, state) as seen from reports group by node)
select a.node || ' and ' || b.node as nodes, state(a.seen | b.seen, 'charge') as charge,
       state(a.seen | b.seen, 'pack') as pack, state(a.seen | b.seen, 'ship') as ship,
       has_conflicts(a.seen | b.seen)
from view a join view b on a.node < b.node order by 1;
\set ECHO none

\echo '== Yet nobody has seen it ========================================================='
\echo
\set ECHO queries
create temp table sagas of saga_constraint;
insert into sagas values ('order-7', 'all_or_nothing', '{charge,pack,ship}');

create temp view merged as select observe(obligation, node, state) as seen from reports;
create temp view rules as select array_agg((s.*)::saga_constraint) as constraints from sagas s;

select finding, explanation from merged, rules, check_sagas(seen, constraints) \g (format=unaligned tuples_only=on fieldsep=': ')
\echo
\set ECHO none
\echo 'Who acts upon "committed" now acts upon a state that exists in the merge, and in nobody''s'
\echo 'view. What is missing for it to be settled? Of these nodes, any one:'
\echo
\set ECHO queries
select state, missing from merged, rules, saga_summary(seen, constraints);
\set ECHO none

\echo '== A late report settles it ======================================================='
\echo
\set ECHO queries
insert into reports (saga, obligation, node, state) values ('order-7', 'charge', 'lima', 'committed');
select state, missing from merged, rules, saga_summary(seen, constraints);
select count(*) as findings from merged, rules, check_sagas(seen, constraints);
\set ECHO none

\echo '== Late, twice and out of order ==================================================='
\echo 'The reports in 1,000 random orders, each twice, and how many values come out, to the byte:'
\echo
\set ECHO queries
select count(*) as orders, count(distinct obligation_lattice_send(seen)) as values
from (select n, observe(obligation, node, state order by md5(n || '/' || id || '/' || twice)) as seen
      from reports, generate_series(1, 2) twice, generate_series(1, 1000) n group by n) o;
\set ECHO none

\echo '== Where no single truth fits ====================================================='
\echo 'Then Tokyo hears that the charge was taken back.'
\echo
\set ECHO queries
insert into reports (saga, obligation, node, state) values ('order-7', 'charge', 'tokyo', 'aborted');
select c.* from merged, conflicts(seen) c;
select finding, explanation from merged, rules, check_sagas(seen, constraints) \g (format=unaligned tuples_only=on fieldsep=': ')
\echo
select state, missing from merged, rules, saga_summary(seen, constraints);
\set ECHO none
\echo 'Tokyo itself had reported it committed before: it contradicts itself, and both others.'

\echo
\echo '== Leases ========================================================================='
\echo 'Two replicas keep the leases of a printer, each in rows of its own. The line between them is'
\echo 'down: the holder, in Berlin, gives the lease back; Tokyo sees that its time is over.'
\echo
\set ECHO queries
create temp table leases (
  lease text, epoch bigint, witness text, holder text, expiry hlc, state lease_state default 'active',
  primary key (lease, epoch, witness));
insert into leases values
  ('printer', 1, 'berlin', 'worker-7', '2026-11-22T13:00:30Z'),
  ('printer', 1, 'tokyo',  'worker-7', '2026-11-22T13:00:30Z'),
  ('printer', 2, 'tokyo',  'worker-9', '2026-11-22T13:01:30Z');

update leases set state = state | 'released' where (lease, epoch, witness) = ('printer', 1, 'berlin');
update leases set state = state | 'expired' where witness = 'tokyo' and expiry < '2026-11-22T13:00:35Z';
\set ECHO none
\echo
\echo 'Merged, the first epoch is in conflict, and both witnesses are there to be asked. The second'
\echo 'is not touched by that.'
\echo
\set ECHO queries
select lease, epoch, merge(state) as state, is_conflict(merge(state)),
       jsonb_object_agg(witness, state) as reports
from leases group by lease, epoch order by lease, epoch;
\set ECHO none
