-- The widest antichain: the most events that are pairwise concurrent, exactly.
--
--     psql -f examples/widest_antichain.sql -c 'select * from pg_temp.widest_antichain()'
--
-- Dilworth: it is as wide as the fewest chains (of events one after another) that hold all
-- events. The origins are such chains; each augmenting path of a matching between the events
-- (as causes) and the events (as effects) makes them one less. When none is left, Koenig's
-- theorem reads the antichain off the last search. An event's causes on one origin are the
-- first so many of that origin, so a search takes (events x origins) steps, and there are at most
-- as many searches as origins. Needs clocks that tell a consistent story, see events_known.

-- For each event and origin: how many of that origin's events come before it (0: no row). In
-- passing: does the event's clock include all that the last of these knew?
create function pg_temp.events_known(out origin text, out seq bigint, out of_origin text,
	out known bigint, out consistent boolean) returns setof record language sql stable as $$
	with numbered as (
		select *, row_number() over (partition by events.origin order by events.seq) as nr
		from events)
	, merged as (       -- all counters in all clocks, each after the event that it counts
		select n.origin as of_origin, n.seq as counter, n.nr, n.clock as knew,
			null as origin, null::bigint as seq, null::vclock as clock
		from numbered n
		union all
		select c.node, c.counter - (c.node = e.origin)::integer, null, null,
			e.origin, e.seq, e.clock
		from events e, each(e.clock) c)
	, counted as (
		select *, max(nr) over (partition by of_origin order by counter) as known
		from merged)
	select c.origin, c.seq, c.of_origin, c.known, n.clock << c.clock
	from counted c join numbered n on n.origin = c.of_origin and n.nr = c.known
	where c.origin is not null
$$;

create function pg_temp.widest_antichain() returns setof events language plpgsql as $$
declare
	origins text[] := array(select distinct origin from events order by origin);
	width integer := cardinality(origins);
	size integer := (select count(*) from events);
	first integer[];        -- of each origin: number of its first event, less 1
	known integer[];        -- of each event and origin, see above
	cause integer[] := array_fill(null::integer, array[size]);      -- the matching,
	effect integer[] := array_fill(null::integer, array[size]);     -- both ways
	seen integer[];         -- of each origin: this many of its events were reached, as causes
	via integer[] := array_fill(null::integer, array[size]);         -- from which effect
	queue integer[];
	tail integer;
	head integer;
	f integer;
	e integer;
	previous integer;
	augmented boolean;
	r record;
begin
	-- Events are numbered by origin and seq; at first each origin is a chain.
	create temp table antichain_event on commit drop as
		select origin, seq, row_number() over (order by array_position(origins, origin), seq)::integer as nr
		from events;
	first := array(select min(nr) - 1 from antichain_event group by origin
		order by array_position(origins, origin));
	for r in select nr, lag(nr) over (partition by origin order by nr) as before from antichain_event loop
		cause[r.nr] := r.before;
		if r.before is not null then
			effect[r.before] := r.nr;
		end if;
	end loop;
	known := array_fill(0, array[size * width]);
	for r in select nr, array_position(origins, k.of_origin) as h, k.known
		from pg_temp.events_known() k join antichain_event using (origin, seq) loop
		known[(r.nr - 1) * width + r.h] := r.known;
	end loop;

	-- Search breadth first, from all effects without a cause, for a cause without an effect.
	loop
		augmented := false;
		seen := array_fill(0, array[width]);
		queue := array(select nr from unnest(cause) with ordinality c (before, nr) where before is null);
		tail := cardinality(queue);
		head := 1;
		<<search>>
		while head <= tail loop
			f := queue[head];
			head := head + 1;
			for h in 1 .. width loop
				while seen[h] < known[(f - 1) * width + h] loop
					seen[h] := seen[h] + 1;
					e := first[h] + seen[h];
					via[e] := f;
					if effect[e] is null then
						augmented := true;
						exit search;
					end if;
					tail := tail + 1;
					queue[tail] := effect[e];
				end loop;
			end loop;
		end loop;
		exit when not augmented;
		while e is not null loop
			f := via[e];
			previous := cause[f];
			cause[f] := e;
			effect[e] := f;
			e := previous;
		end loop;
	end loop;

	-- Reached as effects, not as causes.
	return query
		select events.* from events join antichain_event a using (origin, seq)
		where a.nr = any (queue) and a.nr > (first[array_position(origins, origin)]
			+ seen[array_position(origins, origin)])
		order by origin;
	drop table antichain_event;
end
$$;
