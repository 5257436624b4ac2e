-- The workers that examples/record starts. Each is one session, named by distributed.node.
--
-- A session holds its vector clock in the setting recording.clock. It ticks for a local event
-- and for sending a message, which carries the clock along, and on receiving one it merges
-- that clock into its own. So an event's clock includes another's exactly if the other could
-- have influenced it.
create schema recording;
set search_path = recording, public;

create table events (
	id bigint generated always as identity,
	host text not null default local_node(),
	clock vclock not null,
	event text not null
);
create table mail (
	id bigint generated always as identity,
	recipient text not null,
	sender text not null default local_node(),
	clock vclock not null,
	what text not null,
	number integer
);

-- The next event of this session, which may be the receipt of a message.
create function stamp(event text, received vclock default null) returns vclock
language plpgsql as $$
declare
	clock vclock := coalesce(nullif(current_setting('recording.clock', true), ''), '{}');
begin
	clock := case when received is null then tick(clock) else receive(clock, received) end;
	perform set_config('recording.clock', clock::text, false);
	insert into recording.events (clock, event) values (clock, stamp.event);
	return clock;
end
$$;

-- Each event is a transaction of its own: the others see it at once.
create procedure happen(event text, received vclock default null) language plpgsql as $$
begin
	perform recording.stamp(event, received);
	commit;
	perform pg_sleep(0.001 + random() * 0.02);      -- work
end
$$;

create procedure send(recipient text, what text, number integer default null)
language plpgsql as $$
begin
	insert into recording.mail (recipient, clock, what, number)
	values (recipient, recording.stamp(
		case when number is null then '' else format('order %s: ', number) end || format('tell %s: %s', recipient, what)),
		what, number);
	commit;
end
$$;

-- The oldest message that nobody else is taking; of several workers of a kind each gets some.
create procedure take(inbox text, inout sender text, inout clock vclock, inout what text,
	inout number integer) language plpgsql as $$
declare
	deadline timestamptz := clock_timestamp() + interval '60 seconds';
begin
	loop
		delete from recording.mail m where m.id = (
			select id from recording.mail where recipient = inbox
			order by id limit 1 for update skip locked)
		returning m.sender, m.clock, m.what, m.number into sender, clock, what, number;
		exit when found;
		commit;
		if clock_timestamp() > deadline then
			raise exception '% waits in vain for a message', local_node();
		end if;
		perform pg_sleep(0.002);
	end loop;
	commit;
end
$$;

-- shop: takes a dozen orders, asks for goods and money at once, and decides on the answers.
-- The goods of order 4 are sold out, the card of order 9 is declined.
create procedure shop() language plpgsql as $$
declare
	goods constant text[] := '{"a tea pot","12 tea cups","a milk jug","a spoon"}';
	reserved boolean[];
	charged boolean[];
	open integer := 0;
	taken integer := 0;
	sender text;
	clock vclock;
	what text;
	number integer;
begin
	call recording.happen('open for business');
	while taken < 12 or open > 0 loop
		if taken < 12 and open < 4 then
			taken := taken + 1;
			open := open + 1;
			call recording.happen(format('order %s: received, %s', taken, goods[1 + taken % 4]));
			call recording.send('stock', 'reserve', taken);
			call recording.send('payments', 'charge', taken);
			continue;
		end if;
		call recording.take('shop', sender, clock, what, number);
		call recording.happen(format('order %s: %s says %s', number, sender, what), clock);
		case what
			when 'reserved', 'sold out' then reserved[number] := what = 'reserved';
			when 'charged', 'declined' then charged[number] := what = 'charged';
			else
				call recording.happen(format('order %s: closed', number));
				open := open - 1;
				continue;
		end case;
		if reserved[number] and charged[number] then
			call recording.send('shipping', 'ship', number);
		elsif reserved[number] and not charged[number] then
			call recording.send('stock', 'put back', number);
		elsif not reserved[number] and charged[number] then
			call recording.send('payments', 'refund', number);
		end if;
	end loop;
	call recording.happen('closing');
	call recording.send('stock', 'go home');
	call recording.send('payments', 'go home');
	call recording.send('payments', 'go home');
	call recording.send('shipping', 'go home');
end
$$;

create procedure stock() language plpgsql as $$
declare
	sender text;
	clock vclock;
	what text;
	number integer;
begin
	call recording.happen('shelves counted');
	loop
		call recording.take('stock', sender, clock, what, number);
		exit when what = 'go home';
		call recording.happen(format('order %s: asked to %s', number, what), clock);
		call recording.send('shop', case
			when what = 'put back' then 'goods are back on the shelf'
			when number = 4 then 'sold out'
			else 'reserved' end, number);
	end loop;
	call recording.happen('lights out', clock);
end
$$;

create procedure payments() language plpgsql as $$
declare
	sender text;
	clock vclock;
	what text;
	number integer;
begin
	call recording.happen('connected to the bank');
	loop
		call recording.take('payments', sender, clock, what, number);
		exit when what = 'go home';
		call recording.happen(format('order %s: asked to %s', number, what), clock);
		call recording.send('shop', case
			when what = 'refund' then 'money is back'
			when number = 9 then 'declined'
			else 'charged' end, number);
	end loop;
	call recording.happen('disconnected from the bank', clock);
end
$$;

create procedure shipping() language plpgsql as $$
declare
	sender text;
	clock vclock;
	what text;
	number integer;
begin
	call recording.happen('van is here');
	loop
		call recording.take('shipping', sender, clock, what, number);
		exit when what = 'go home';
		call recording.happen(format('order %s: asked to %s', number, what), clock);
		call recording.happen(format('order %s: parcel %s packed', number, 1000 + number));
		call recording.send('shop', 'parcel is on its way', number);
	end loop;
	call recording.happen('van leaves', clock);
end
$$;
