-- What the workers of examples/record share: a causal log, and mail.
--
-- Each event is a row of the log, made by log_event: it gets the next clock of its node, which
-- is the session's distributed.node. A message carries the clock of the event that sent it, and
-- the event of receiving it takes that clock in. So an event's clock includes another's exactly
-- if the other could have influenced it.
create schema recording;
select set_config('search_path', 'recording, ' || current_setting('search_path'), false) \g /dev/null

select create_causal_log('recording.events') \g /dev/null

create table mail (
	id bigint generated always as identity primary key,
	recipient text not null,
	sender text not null default local_node(),
	clock vclock not null,                  -- of the event that sent it
	what text not null,
	number integer                          -- of an order
);

create function happen(event text, received vclock default null) returns vclock
language sql as $$
	select log_event('recording.events', to_jsonb(event), received)
$$;

create function about(number integer, text text) returns text language sql immutable as $$
	select coalesce('order ' || number || ': ', '') || text
$$;

-- The recipient listens on a channel of its own name. It is notified when this commits.
create function send(recipient text, what text, number integer default null) returns void
language sql as $$
	insert into mail (recipient, what, number, clock) values
		(recipient, what, number, happen(about(number, 'tell ' || recipient || ': ' || what)));
	select pg_notify(recipient, '');
$$;

-- The oldest message that nobody else is taking, if there is one: of several workers with one
-- mailbox each gets some. Taking it and having received it are one transaction.
create function take(mailbox text, out what text, out number integer)
returns setof record language plpgsql as $$
declare
	sender text;
	clock vclock;
begin
	delete from mail m where m.id = (
		select id from mail where recipient = mailbox order by id limit 1 for update skip locked)
	returning m.what, m.number, m.sender, m.clock into what, number, sender, clock;
	if found then
		perform happen(about(number, sender || ' says ' || what), clock);
		return next;
	end if;
end
$$;
