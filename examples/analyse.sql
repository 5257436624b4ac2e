-- Questions to a log with vector clocks, in SQL; each is shown with its answer.
--
--     examples/load LOG && psql -X -f examples/analyse.sql
--
-- reads the causal log events of examples/load and leaves nothing behind. Any table will do
-- that has the columns origin, seq, clock, event and line. Settings, with psql's -v:
--     origin=O seq=N   the event to ask about: the Nth of origin O (default: an interesting one)
--     rows=N           how many events a list shows (default 5)
--     all=on           lists show all events

\set QUIET on
\set ON_ERROR_STOP on
\set SHOW_CONTEXT never
\encoding UTF8
\pset pager off
\pset footer off
\pset null '-'
\if :{?rows} \else \set rows 5 \endif
\if :{?all} \else \set all off \endif
set client_min_messages = warning;
\ir widest_antichain.sql

select count(*) as events, count(distinct origin) as origins, count(*) > 0 as any_event,
	count(*) <= 3000 as few, count(*) * count(distinct origin) <= 5000000 as not_many,
	case when :'all' then count(*) else :rows end as rows,
	count(*) + case when :'all' then 1 else 0 end - :rows as tail,
	total(merge(clock)) - count(*) as missing, total(merge(clock)) > count(*) as any_missing
from events \gset
\if :any_event
\else
	\echo 'The table events is empty: load a log first, with examples/load.'
	\q
\endif

-- Lists show a text of events; and of long names what they do not have in common, cut where
-- they stay distinct.
select coalesce(max(n), 0) as common from
	(select min(origin) as low, max(origin) as high from events) o,
	generate_series(1, length(low)) n
where left(low, n) = left(high, n) \gset
select max(length(origin)) > 28 and count(distinct origin)
	= count(distinct left(substr(origin, 1 + :common), 28)) as cut from events \gset
create temp view shown as
	select origin, seq, clock,
		case when :'cut' then left(substr(origin, 1 + :common), 28) else origin end as host,
		case when length(text) > 60 then left(text, 57) || '...' else text end as text
	from (select *, event #>> '{}' as text from events) e;
select left(min(origin), :common) as prefix from events \gset

-- The rest of this file needs this table for a large log, and otherwise to know whether the
-- clocks tell a consistent story.
\if :not_many
	create temp table known as select * from pg_temp.events_known();
	select bool_and(consistent) as consistent, bool_and(consistent) is not true as inconsistent,
		count(*) filter (where not consistent) as lies,
		(select e.line from known k join events e using (origin, seq)
			where not k.consistent order by e.line limit 1) as first_lie
	from known \gset
\else
	\set consistent off
	\set inconsistent off
\endif

-- The event to ask about.
\set picked off
\if :{?origin}
	select not exists (select from events where origin = :'origin' and seq::text = :'seq') as unknown \gset
	\if :unknown
		select set_config('distributed_demo.problem', case when count(*) > 0
			then format('origin %s has no event %s: it has %s to %s', :'origin', :'seq', min(seq), max(seq))
			else format('there is no origin %s: there are %s', :'origin', (select string_agg(origin, ', ')
				from (select distinct origin from events order by origin limit 30) o)) end, false) as problem
		from events where origin = :'origin' \gset
		do $$ begin raise exception '%', current_setting('distributed_demo.problem'); end $$;
	\endif
\else
	-- Of a sample, that with most concurrent events; better if several events caused it.
	\set picked on
	select origin, seq from (
		select *, (select count(*) from events o where o.clock || c.clock) as concurrent,
			(select count(*) from causal_parents('events', c.origin, c.seq)) as causes
		from (select *, row_number() over (order by clock) as nr from events) c
		where nr % (:events / least(300, 3000000 / :events + 1) + 1) = 0) c
	order by causes > 1 desc, concurrent desc, clock limit 1 \gset
\endif
create temp view chosen as select * from events where origin = :'origin' and seq = :seq;

\echo
\echo '== How much is there? ============================================================='
\echo 'Of two events one may have influenced the other: then its clock is the lesser one, and'
\echo 'they are a causal pair (<<). Or neither can have: then they are concurrent (||).'
\echo
\set ECHO queries
select count(*) as events, count(distinct origin) as origins from events;
\set ECHO none
\if :few
	\set ECHO queries
select count(*) filter (where a.clock << b.clock) as causal_pairs,
       count(*) filter (where a.clock || b.clock) / 2 as concurrent_pairs
from events a, events b;
	\set ECHO none
\elif :consistent
	\echo 'Comparing all pairs would take long. But if an event knows the first 7 of an origin''s'
	\echo 'events (see examples/widest_antichain.sql), those 7 precede it and no other.'
	\echo
	\set ECHO queries
select sum(known) as causal_pairs,
       :events::bigint * (:events - 1) / 2 - sum(known) as concurrent_pairs
from known;
	\set ECHO none
\else
	\echo 'Pairs are not counted: the log is too large for that.'
\endif
\if :cut
	\echo Note: names are cut below, under host; all begin with :prefix
	\echo
\endif
\if :any_missing
	\echo Note: the clocks count :missing 'more events than the log has.'
	\echo
\endif
\if :inconsistent
	\echo Note: :lies 'times a clock counts an event without including that event''s clock, first at'
	\echo line :first_lie': the program that wrote them has an error. Below, clocks are taken at their word.'
	\echo
\endif

\echo '== The events in a causal order ==================================================='
\echo 'Sorting by clock is enough: no event comes before one of its causes. First and last events:'
\echo
\set ECHO queries
select * from (
  select row_number() over (order by clock) as nr, host, seq, text from shown) o
where nr <= :rows or nr > :tail
order by nr;
\set ECHO none

\echo '== One event: how do all others stand to it? ======================================'
\echo 'The event is number' :seq 'of' :origin
\if :picked
	\echo '(picked since much is concurrent with it; script/demo --event ORIGIN:N picks another)'
\endif
\echo
\pset expanded on
\set ECHO queries
select origin, seq, line, left(event #>> '{}', 100) as text, left(clock::text, 100) as clock from chosen;
\set ECHO none
\pset expanded off
\set ECHO queries
select causal_order(e.clock, c.clock) as others, count(*)
from events e, chosen c where e.clock <> c.clock
group by 1 order by 1;
\set ECHO none
select count(*) filter (where e.clock << c.clock) as past,
	count(*) filter (where e.clock >> c.clock) as future,
	count(*) filter (where e.clock || c.clock) as beside
from events e, chosen c \gset

\echo '== Its past ======================================================================='
\echo :past 'events may have influenced it; no other event can have. The last of them:'
\echo
\set ECHO queries
select s.host, s.seq, s.text
from causal_past('events', :'origin', :seq) e join shown s using (origin, seq)
order by e.clock desc limit :rows;
\set ECHO none

\echo '== Its direct causes =============================================================='
\echo 'The part of its past with no other event between: these happened right before it.'
\echo
\set ECHO queries
select s.host, s.seq, s.text
from causal_parents('events', :'origin', :seq) e join shown s using (origin, seq)
order by e.clock;
\set ECHO none

\echo '== Its future ====================================================================='
\echo :future 'events may have been influenced by it. The first of them:'
\echo
\set ECHO queries
select s.host, s.seq, s.text
from causal_future('events', :'origin', :seq) e join shown s using (origin, seq)
order by e.clock limit :rows;
\set ECHO none

\echo '== Concurrent with it ============================================================='
\echo :beside 'events neither influenced it nor were influenced by it. The first of them:'
\echo
\set ECHO queries
select s.host, s.seq, s.text
from concurrent_with('events', :'origin', :seq) e join shown s using (origin, seq)
order by e.clock limit :rows;
\set ECHO none

\echo '== Where did it end? =============================================================='
\echo 'The events after which nothing happened; together they have seen all others.'
\echo
\set ECHO queries
select s.host, s.seq, s.text
from frontier('events') e join shown s using (origin, seq)
order by e.clock limit 2 * :rows;
\set ECHO none

\echo '== How long is the longest chain of causes? ======================================='
\echo 'No number of machines could have made this run shorter than that many steps.'
\echo
\set ECHO queries
select max(depth) as steps from causal_depth('events');
\set ECHO none

\echo '== What happened at once? ========================================================='
\if :consistent
	\echo 'As many events as possible that are pairwise concurrent: the widest antichain. The exact'
	\echo 'answer, by Dilworth''s theorem; examples/widest_antichain.sql tells how.'
	\echo
	\set ECHO queries
create temp table widest as select * from pg_temp.widest_antichain();
select count(*) as width from widest;
select s.host, s.seq, s.text
from widest join shown s using (origin, seq)
order by s.host limit 4 * :rows;
	\set ECHO none
\else
	\echo 'The widest antichain is not searched for: the log is too large, or its clocks are wrong.'
\endif

\echo '== Which hosts worked side by side? ==============================================='
\echo 'For each two hosts: how many pairs of their events are concurrent. 100 percent: they never'
\echo 'heard of each other; few: they waited for each other.'
\echo
\if :few
	\set ECHO queries
select a.host, b.host as other, count(*) as pairs,
       count(*) filter (where a.clock || b.clock) as concurrent,
       round(100.0 * count(*) filter (where a.clock || b.clock) / count(*)) as percent
from shown a join shown b on a.host < b.host
group by 1, 2 order by concurrent desc, 1, 2 limit 2 * :rows;
	\set ECHO none
\elif :consistent
	\set ECHO queries
with size as (select origin, count(*) as events from events group by 1)
select a.origin, b.origin as other, a.events * b.events as pairs,
       a.events * b.events - sum(k.known) as concurrent,
       round(100 - 100 * sum(k.known) / (a.events * b.events)) as percent
from known k, size a, size b
where (k.origin, k.of_origin) in ((a.origin, b.origin), (b.origin, a.origin)) and a.origin < b.origin
group by a.origin, b.origin, a.events, b.events
order by concurrent desc, 1, 2 limit 2 * :rows;
	\set ECHO none
\else
	\echo 'Not counted: the log is too large for that.'
\endif
