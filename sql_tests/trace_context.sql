-- Contexts of spans: the rules of W3C Trace Context and Baggage, JSON, parts, bytes, order.

\set SHOW_CONTEXT never
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
CREATE FUNCTION pg_temp.fault(command text, OUT state text, OUT message text, OUT detail text)
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	message := 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
END
$$;
-- what becomes of a text: the context, or the detail of the error
CREATE FUNCTION pg_temp.read(input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	RETURN input::trace_context;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ': ' || detail;
END
$$;
-- the same of one member of the JSON form, showing that member
CREATE FUNCTION pg_temp.read_member(name text, value jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	read text := pg_temp.read((jsonb '{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}' || jsonb_build_object(name, value))::text);
BEGIN
	RETURN CASE WHEN read LIKE '{%' THEN coalesce(read::jsonb ->> name, 'none') ELSE read END;
END
$$;

-- traceparent: valid ones, as they are written again
SELECT what, pg_temp.read(input) FROM (VALUES
	('sampled', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('not sampled', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00'),
	('random', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02'),
	('all flags', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff'),
	('greatest ids', '00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-03'),
	('least ids', '00-00000000000000000000000000000001-0000000000000001-03'),
	('blank before', ' 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('tab before', E'\t00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('blank behind', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 '),
	('tab behind', E'00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\t'),
	('blanks around', E'\t 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 \t'),
	('version 01', '01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('version cc, and more', 'cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like'),
	('version cc, blanks, more', ' cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-ÄÖÜ .=, '),
	('version cc, a dash', 'cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-'),
	('version fe, flags of the future', 'fe-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff')) v (what, input);

-- and invalid ones
SELECT what, pg_temp.read(input) FROM (VALUES
	('nothing', ''), ('blanks', '  '), ('a word', 'traceparent'),
	('version ff', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('version ff, and more', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x'),
	('version FE', 'FE-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('version .0', '.0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('version 0.', '0.-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('version of 1 digit', '0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('version of 3 digits', '000-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('version of 4 digits', '0000-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('version 00, and more', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like'),
	('version 00, a dash', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-'),
	('version 00, a dot', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.'),
	('version 00, a second one', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01,00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('version cc, no dash', 'cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.what-the-future-will-be-like'),
	('version cc, long flags', 'cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-010'),
	('version cc, too short', 'cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1'),
	('version cc, nil trace', 'cc-00000000000000000000000000000000-00f067aa0ba902b7-01'),
	('version cc, nil span', 'cc-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01-x'),
	('version cc, upper case', 'cc-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01'),
	('nil trace', '00-00000000000000000000000000000000-00f067aa0ba902b7-01'),
	('trace with a dot', '00-.bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('trace ends in a dot', '00-4bf92f3577b34da6a3ce929d0e0e473.-00f067aa0ba902b7-01'),
	('trace in upper case', '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01'),
	('trace too long', '00-4bf92f3577b34da6a3ce929d0e0e47361-00f067aa0ba902b7-01'),
	('trace too short', '00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01'),
	('trace with an umlaut', '00-4bf92f3577b34da6a3ce929d0e0e47ä-00f067aa0ba902b7-01'),
	('nil span', '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01'),
	('span with a dot', '00-4bf92f3577b34da6a3ce929d0e0e4736-.0f067aa0ba902b7-01'),
	('span ends in a dot', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b.-01'),
	('span in upper case', '00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01'),
	('span too long', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b71-01'),
	('span too short', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01'),
	('flags .0', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-.0'),
	('flags 0.', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0.'),
	('flags 0A', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0A'),
	('flags of 1 digit', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1'),
	('flags of 3 digits', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-001'),
	('no flags', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7'),
	('underscores', '00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01'),
	('blank within', '00-4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7-01'),
	('line feed before', E'\n00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
	('line feed behind', E'00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n'),
	('quoted', '"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"'),
	('name of the field', 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')) v (what, input);
SELECT '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7'::trace_context;
-- any character that is no small hexadecimal digit, and no dash, makes it invalid in any place
SELECT count(*), count(*) FILTER (WHERE f.state = '22P02') AS refused
FROM generate_series(1, 55) place, unnest('{g,G,A,_,:," ",é}'::text[]) c,
	pg_temp.fault(format('SELECT %L::trace_context', overlay('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' placing c FROM place FOR 1))) f;

-- tracestate: valid ones, as they are written again
SELECT what, '"' || pg_temp.read_member('tracestate', to_jsonb(input)) || '"' AS tracestate FROM (VALUES
	('one', 'rojo=00f067aa0ba902b7'),
	('order is kept', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,a=1'),
	('nothing', ''), ('blanks', E' \t '), ('commas', ',, ,'),
	('empty members', E',foo=1, ,\t,,bar=2,'),
	('blanks around', E'\t foo=1 \t'),
	('blanks between', E'foo=1 \t , \t bar=2, \t baz=3'),
	('tabs between', E'foo=1\t \t,\t \tbar=2,\t \tbaz=3'),
	('blanks of the value', 'foo=  1 2 '),
	('tenant and system', 'fw529a3039@dt=FfAAAAAA'),
	('digit first', '1a-2f@foo=bar1'),
	('signs in keys', '0_-*/@=1,foo@=1,foo@@bar=2,foo@bar@baz=3'),
	('all characters of keys', 'abcdefghijklmnopqrstuvwxyz0123456789_-*/@a-z0-9_-*/=x'),
	('all characters of values', 'a= !"#$%&''()*+-./0123456789:;<>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~'),
	('keys that begin alike', 'foo=1,fo=1,fooo=1')) v (what, input);
SELECT what, length(read) FROM (VALUES
	('key of 256', repeat('z', 256) || '=1'),
	('long tenant', repeat('t', 241) || '@' || repeat('v', 14) || '=1'),
	('longer tenant', repeat('t', 242) || '@v=1'),
	('long system', 't@' || repeat('v', 15) || '=1'),
	('value of 256', 'a=' || repeat('z', 256)),
	('32 members', (SELECT string_agg(format('bar%s=%s', i, i), ',') FROM generate_series(1, 32) i)),
	('32 long members', (SELECT string_agg(lpad(i::text, 256, 'k') || '=' || repeat('v', 256), ' , ') FROM generate_series(1, 32) i))) v (what, input),
	pg_temp.read_member('tracestate', to_jsonb(input)) read;

-- and invalid ones
SELECT what, pg_temp.read_member('tracestate', to_jsonb(input)) FROM (VALUES
	('no equals sign', 'foo'), ('no equals sign later', 'foo=1,bar'),
	('no key', '=1'), ('no value', 'foo=,bar=3'), ('blank value', 'foo= ,bar=3'),
	('blank behind the key', 'foo =1'), ('upper case', 'FOO=1'), ('dot', 'foo.bar=1'), ('at first', '@foo=1,bar=2'),
	('dash first', '-foo=1'), ('umlaut in a key', 'föö=1'), ('umlaut in a value', 'foo=ü'),
	('two equals signs', 'foo=bar=baz'), ('tab in a value', E'foo=a\tb'), ('line feed', E'foo=1\n'), ('delete', E'foo=\x7f'),
	('same member twice', 'foo=1,foo=1'), ('same key twice', 'foo=1,bar=2, foo=2'),
	('key of 257', repeat('z', 257) || '=1'), ('value of 257', 'foo=1,a=' || repeat('z', 257)),
	('33 members', (SELECT string_agg(format('bar%s=%s', i, i), ',') FROM generate_series(1, 33) i)),
	('33 members, one empty', (SELECT string_agg(format('bar%s=%s', i, i), ',') FROM generate_series(1, 32) i) || ','),
	('semicolons', 'foo=1;bar=2=3')) v (what, input);
SELECT pg_temp.read_member('tracestate', value) FROM (VALUES ('1'::jsonb), ('["foo=1"]'), ('{"foo": "1"}'), ('null')) v (value);

-- baggage: header fields, as JSON and as they are written again
SELECT what, pg_temp.read_member('baggage', to_jsonb(input)) AS json,
	baggage_header(trace_context_from_headers('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', baggage => input)) AS header FROM (VALUES
	('one', 'SomeKey=SomeValue'),
	('many', 'userId=alice,serverNode=DF%2028,isProduction=false'),
	('UTF-8', 'userId=Am%C3%A9lie,clef=%f0%9d%84%9e'),
	('nothing', ''), ('blanks', E' \t'),
	('empty value', 'a=,b= '),
	('equals signs', 'SomeKey=SomeValue=equals,b=='),
	('blanks', E'SomeKey \t = \t SomeValue \t ; \t SomeProp \t , \t SomeKey2 \t = \t SomeValue2 \t ; \t ValueProp \t = \t PropVal'),
	('properties', 'key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue'),
	('properties of one name', 'SomeKey=SomeValue;SomeProp;SomeProp=PropValue;SomeProp=AnotherPropValue'),
	('property that looks encoded', 'k=v;ValueProp%20%09%20%3D%20%09%20PropVal'),
	('percent signs', 'SomeKey=%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29;p=%09%20%22%27%3B%3Dasdf%21%40%23%24%25%5E%26%2A%28%29'),
	('empty value of a property', 'k=v;p=;q= '),
	('all characters of keys', 'abcXYZ019!#$%&''*+-.^_`|~=1'),
	('all characters of values', 'a=!#$&''()*+-./0123456789:<=>?@ABCXYZ[]^_`abcxyz{|}~'),
	('sorted, small letters last', 'b=1,a=2,B=3,a-=4,A=5'),
	('no UTF-8', 'a=x%FFy%C3%28%E2%82z%80,b=%ED%A0%80%F5;p=%C0%80')) v (what, input);
-- and invalid ones
SELECT what, pg_temp.read_member('baggage', to_jsonb(input)) FROM (VALUES
	('no equals sign', 'foo'), ('no equals sign, a property', 'foo;a=b'), ('no key', '=1'), ('empty member', 'a=1,,b=2'), ('comma at the end', 'a=1,'), ('comma', ','),
	('blank in a key', 'a b=1'), ('key in quotes', '"a"=1'), ('umlaut in a key', 'ä=1'), ('slash in a key', 'a/b=1'), ('colon in a key', 'a:b=1'), ('at sign in a key', 'a@b=1'),
	('blank in a value', 'a=1 2'), ('umlaut in a value', 'a=ä'), ('quotes', 'a="1"'), ('backslash', 'a=\1'), ('line feed', E'a=1\n'), ('delete', E'a=\x7f'),
	('lone percent sign', 'a=100%'), ('half a percent sign', 'a=%4'), ('no digits', 'a=%4g'), ('NUL', 'a=x%00'),
	('empty property', 'a=1;'), ('empty property within', 'a=1;;p'), ('property without a name', 'a=1;=2'), ('bad name of a property', 'a=1;p q'), ('bad value of a property', 'a=1;p="q"'),
	('NUL in a property', 'a=1;p=%00'), ('same key twice', 'a=1,b=2,a=3'), ('a long key', repeat('k', 100) || '/=1')) v (what, input);
-- as JSON
SELECT value, pg_temp.read_member('baggage', value::jsonb) FROM (VALUES
	('{}'), ('null'), ('{"b": "2", "a": "x y\u00e9\"\\\n%,;="}'), ('{"a": ""}'), ('{"a": {"value": "1"}}'), ('{"a": {"value": "1", "properties": ""}}'),
	('{"a": {"value": "1", "properties": " p ; q = %41b "}}'),
	('[]'), ('1'), ('{"a": 1}'), ('{"a": null}'), ('{"a": []}'), ('{"a": {}}'), ('{"a": {"value": 1}}'), ('{"a": {"value": "1", "properties": ["p"]}}'), ('{"a": {"value": "1", "ttl": "30"}}'),
	('{"a": {"value": "1", "properties": "p;"}}'), ('{"": "1"}'), ('{"a b": "1"}'), ('{"ä": "1"}'), ('{"a": {"value": "1", "properties": "p,q"}}')) v (value);
SELECT pg_temp.read('{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage": {"a": "1", "a": "1"}}');
-- 64 KiB, counted as the header field
SELECT what, length(read), left(read, 66) AS read FROM (VALUES
	('exactly', jsonb_build_object('k', repeat('x', 65534))), ('a byte more', jsonb_build_object('k', repeat('x', 65535))), ('much more', jsonb_build_object('k', repeat('x', 1000000))),
	('percent signs', jsonb_build_object('k', repeat('%', 21844))), ('a percent sign more', jsonb_build_object('k', repeat('%', 21845))),
	('10,922 letters of 2 bytes', jsonb_build_object('k', repeat('é', 10922))), ('one more', jsonb_build_object('k', repeat('é', 10923))),
	('two items', jsonb_build_object('k', repeat('x', 40000), 'l', repeat('x', 25531))), ('two items, a byte more', jsonb_build_object('k', repeat('x', 40000), 'l', repeat('x', 25532))),
	('a key', jsonb_build_object(repeat('k', 65535), '')), ('a longer key', jsonb_build_object(repeat('k', 65536), '')),
	('properties', jsonb_build_object('k', jsonb_build_object('value', '', 'properties', repeat('p', 65533)))), ('longer properties', jsonb_build_object('k', jsonb_build_object('value', '', 'properties', repeat('p', 65534)))),
	('a header', to_jsonb('k=' || repeat('%41', 20000))), ('a longer header', to_jsonb('k=' || repeat('x', 65535)))) v (what, value),
	LATERAL (SELECT pg_temp.read_member('baggage', value)) r (read);
SELECT (SELECT count(*) FROM jsonb_object_keys(baggage(c))), length(baggage_header(c)) AS header, trace_context_from_headers(traceparent(c), NULL, baggage_header(c)) = c AS back
FROM trace_context('0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', baggage => (SELECT jsonb_object_agg('key' || i, 'value') FROM generate_series(1, 4700) i)) c;

-- the other members
SELECT name, value, pg_temp.read_member(name, value) FROM (VALUES
	('parent_span_id', '"00f067aa0ba902b7"'::jsonb), ('parent_span_id', '"00F067AA0BA902B7"'), ('parent_span_id', 'null'),
	('parent_span_id', '"0000000000000000"'), ('parent_span_id', '""'), ('parent_span_id', '"00f067aa0ba902bx"'), ('parent_span_id', '7'),
	('region', '"eu-west-1"'), ('region', '"\u00e9 \"{\\\n"'), ('region', 'null'), ('region', '""'), ('region', '["eu"]'),
	('created_at', '"2026-11-22T13:00:00.123456789Z"'), ('created_at', '"2026-11-22 14:30:00.5+01:30"'), ('created_at', '"2262-04-11T23:47:16.854775807Z"'), ('created_at', '"1970-01-01T00:00:00.000000001Z"'), ('created_at', 'null'),
	('created_at', '"1970-01-01T00:00:00Z"'), ('created_at', '"1969-12-31T23:59:59Z"'), ('created_at', '"2262-04-11T23:47:16.854775808Z"'), ('created_at', '"noon"'), ('created_at', '""'), ('created_at', '"17.0"'),
	('created_at', '"2026-11-22T13:00:00Z/0"'), ('created_at', '"2026-11-22T13:00:00.1234567890Z"'), ('created_at', '"2026-02-29T13:00:00Z"'), ('created_at', '1795352400123456789'),
	('traceparent', '1'), ('traceparent', 'null'), ('tracestate', '1'), ('trace_state', '"a=1"')) v (name, value);
SELECT length(pg_temp.read_member('region', to_jsonb(repeat('x', 65535)))), pg_temp.read_member('region', to_jsonb(repeat('x', 65536))), pg_temp.read_member('region', to_jsonb(repeat('é', 32768)));
-- JSON that is none, or not of this form
SELECT pg_temp.read(input) FROM (VALUES ('{}'), ('{'), ('[]'), ('null'), ('{"traceparent": "x"}'), ('{"traceparent": ""}'),
	('{"tracestate": "a=1"}'), ('{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"} 2'),
	('{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}'),
	('{"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Region": "eu"}'),
	(E' \n\t{"traceparent" : " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\\t"}\r\n')) v (input);

-- one with everything, and what is to be read from it
CREATE TEMP TABLE contexts (id serial, c trace_context);
INSERT INTO contexts (c) VALUES
	('{"baggage": {"userId": "Amélie", "serverNode": {"value": "DF 28", "properties": "ttl=30;internal"}}, "created_at": "2026-11-22T13:00:00.123456789Z", "region": "eu-west-1", "parent_span_id": "00f067aa0ba902b7", "tracestate": "rojo=00f067aa0ba902b7 , congo=t61rcWkgMzE", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"}'),
	('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00');
SELECT c FROM contexts ORDER BY id;
SELECT traceparent(c), tracestate(c), trace_id(c), span_id(c), parent_span_id(c), trace_flags(c), is_sampled(trace_flags(c)) AS sampled FROM contexts ORDER BY id;
SELECT region(c), created_at(c), created_at_ns(c), baggage(c), baggage(c, 'serverNode') AS node, baggage(c, 'userid') AS other, baggage_header(c), pg_column_size(c) FROM contexts ORDER BY id;
SELECT pg_typeof(trace_id(c)), pg_typeof(span_id(c)), pg_typeof(trace_flags(c)), pg_typeof(created_at(c)), pg_typeof(baggage(c)) FROM contexts WHERE id = 1;
-- casts: by way of jsonb, json and text it stays the same
SELECT c::jsonb, c::jsonb::trace_context = c AS jsonb, c::json::text::trace_context = c AS json, c::text::trace_context = c AS text, to_jsonb(c) = c::jsonb AS nested FROM contexts ORDER BY id;
SELECT (c::jsonb || '{"region": "us-east-1", "created_at": null}')::trace_context FROM contexts WHERE id = 2;
SELECT '"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"'::jsonb::trace_context;
-- a name called like a function reads text, as with any type
SELECT trace_context('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'), trace_id('0af7651916cd43dd8448eb211c80319c'), span_id('b7ad6b7169203331'), trace_flags('01');

-- made of parts
SELECT trace_context('0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'),
	trace_context('0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', '01', 'b=1, a=2', '00f067aa0ba902b7', 'eu', '2026-11-22 13:00:00.123456+00', '{"k": "v"}');
SELECT (trace_context(trace_id(c), span_id(c), trace_flags(c), tracestate(c), parent_span_id(c), region(c), created_at(c), c::jsonb -> 'baggage')::jsonb - 'created_at') = (c::jsonb - 'created_at') AS same FROM contexts ORDER BY id;
SELECT trace_context(NULL, 'b7ad6b7169203331') IS NULL AS no_trace, trace_context('0af7651916cd43dd8448eb211c80319c', NULL) IS NULL AS no_span, trace_context('0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', NULL) IS NULL AS no_flags,
	trace_context_from_headers(NULL, 'a=1') IS NULL AS no_traceparent, new_trace_context(NULL, NULL) IS NULL AS no_new_flags;
SELECT command, f.state, f.message, f.detail FROM (VALUES
	('trace_context(''00000000000000000000000000000000'', ''b7ad6b7169203331'')'), ('trace_context(''0af7651916cd43dd8448eb211c80319c'', ''0000000000000000'')'),
	('trace_context(''0af7651916cd43dd8448eb211c80319c'', ''b7ad6b7169203331'', parent_span_id => ''0000000000000000'')'),
	('trace_context(''0af7651916cd43dd8448eb211c80319c'', ''b7ad6b7169203331'', tracestate => ''A=1'')'),
	('trace_context(''0af7651916cd43dd8448eb211c80319c'', ''b7ad6b7169203331'', region => '''')'),
	('trace_context(''0af7651916cd43dd8448eb211c80319c'', ''b7ad6b7169203331'', created_at => ''1970-01-01 00:00:00+00'')'),
	('trace_context(''0af7651916cd43dd8448eb211c80319c'', ''b7ad6b7169203331'', created_at => ''infinity'')'), ('trace_context(''0af7651916cd43dd8448eb211c80319c'', ''b7ad6b7169203331'', created_at => ''-infinity'')'),
	('trace_context(''0af7651916cd43dd8448eb211c80319c'', ''b7ad6b7169203331'', created_at => ''2262-04-11 23:47:16.854776+00'')'), ('trace_context(''0af7651916cd43dd8448eb211c80319c'', ''b7ad6b7169203331'', created_at => ''4000-01-01 BC'')'),
	('trace_context(''0af7651916cd43dd8448eb211c80319c'', ''b7ad6b7169203331'', baggage => ''[]'')'),
	('trace_context_from_headers(''x'')'), ('trace_context_from_headers(''00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'', ''a=1,a=2'')'),
	('trace_context_from_headers(''00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'', '''', ''a'')'), ('new_trace_context('''')')) v (command),
	pg_temp.fault('SELECT ' || command) f;
SELECT trace_context_from_headers(E' 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\t', ',congo=1', 'k=v;p'), trace_context_from_headers('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '', '');

-- new ones and children, at a time that is known
SET distributed.test_clock = '@1795352400123456789';
SELECT region(n), trace_flags(n), created_at_ns(n), parent_span_id(n) IS NULL AS root, is_nil(trace_id(n)) OR is_nil(span_id(n)) AS nil, tracestate(n), baggage(n)
FROM (SELECT new_trace_context() UNION ALL SELECT new_trace_context('eu', '01')) v (n);
SELECT count(DISTINCT trace_id(n)), count(DISTINCT span_id(n)) FROM (SELECT new_trace_context() AS n FROM generate_series(1, 1000)) s;
SELECT (k::jsonb - '{traceparent,parent_span_id,created_at}'::text[]) = (c::jsonb - '{traceparent,parent_span_id,created_at}'::text[]) AS rest,
	trace_id(k) = trace_id(c) AS trace, trace_flags(k) = trace_flags(c) AS flags, parent_span_id(k) = span_id(c) AS parent, span_id(k) <> span_id(c) AND NOT is_nil(span_id(k)) AS span, created_at_ns(k)
FROM (SELECT c, child(c) AS k FROM contexts) s;
SELECT count(DISTINCT span_id(child(c))) FROM contexts, generate_series(1, 1000) WHERE id = 1;
SET distributed.test_clock = '@-1';
SELECT new_trace_context();
RESET distributed.test_clock;
SELECT created_at(new_trace_context()) BETWEEN now() - interval '1 minute' AND clock_timestamp() + interval '1 minute' AS now;

-- bytes
SELECT to_bytes(c), octet_length(to_bytes(c)) FROM contexts ORDER BY id;
SELECT from_bytes(to_bytes(c)), to_bytes(from_bytes(to_bytes(c))) = to_bytes(c) AS back, from_bytes(to_bytes(c)) = c AS same FROM contexts ORDER BY id;
-- part for part
SELECT from_bytes(decode('0af7651916cd43dd8448eb211c80319c' || '0000000000000000' || 'b7ad6b7169203331' || '01' || '0000000000000000' || '0000' || '0000', 'hex')),
	from_bytes(decode('0af7651916cd43dd8448eb211c80319c' || '00f067aa0ba902b7' || 'b7ad6b7169203331' || 'ff' || '7fffffffffffffff' || '0003' || '65c3a9' || '0002' || '0001' || '62' || '0000' || '0001' || '61' || '0002' || 'c3a9', 'hex'));
CREATE TEMP TABLE head AS SELECT '0af7651916cd43dd8448eb211c80319c' || '0000000000000000' || 'b7ad6b7169203331' || '01' AS ids;
SELECT what, f.state, f.message, f.detail FROM head, LATERAL (VALUES
	('nothing', ''), ('no span', left(ids, 48)), ('no flags', left(ids, 64)), ('nil trace', repeat('0', 32) || substr(ids, 33) || '0000000000000000' || '0000' || '0000'),
	('nil span', left(ids, 48) || repeat('0', 16) || '01' || '0000000000000000' || '0000' || '0000'),
	('time too great', ids || '8000000000000000' || '0000' || '0000'), ('no time', ids || '00000000000000'), ('no region', ids || '0000000000000000' || '00'),
	('region cut off', ids || '0000000000000000' || '0003' || '6565'), ('region no UTF-8', ids || '0000000000000000' || '0003' || '65c328' || '0000'), ('region with NUL', ids || '0000000000000000' || '0002' || '6500' || '0000'),
	('region a surrogate', ids || '0000000000000000' || '0003' || 'eda080' || '0000'), ('no count', ids || '0000000000000000' || '0000' || '00'),
	('fewer items', ids || '0000000000000000' || '0000' || '0002' || '0001' || '61' || '0000'), ('key cut off', ids || '0000000000000000' || '0000' || '0001' || 'ffff' || '61'),
	('no value', ids || '0000000000000000' || '0000' || '0001' || '0001' || '61'), ('value cut off', ids || '0000000000000000' || '0000' || '0001' || '0001' || '61' || '0002' || '61'),
	('empty key', ids || '0000000000000000' || '0000' || '0001' || '0000' || '0000'), ('key no token', ids || '0000000000000000' || '0000' || '0001' || '0001' || '20' || '0000'), ('key no UTF-8', ids || '0000000000000000' || '0000' || '0001' || '0001' || 'ff' || '0000'),
	('value no UTF-8', ids || '0000000000000000' || '0000' || '0001' || '0001' || '61' || '0002' || 'c080'), ('key twice', ids || '0000000000000000' || '0000' || '0002' || '0001' || '61' || '0001' || '31' || '0001' || '61' || '0001' || '32'),
	('trailing bytes', ids || '0000000000000000' || '0000' || '0000' || '0000'),
	('over 64 KiB', ids || '0000000000000000' || '0000' || '0002' || '0001' || '61' || '8000' || repeat('78', 32768) || '0001' || '62' || '8000' || repeat('78', 32768))) v (what, bytes),
	pg_temp.fault(format('SELECT from_bytes(%L)', '\x' || bytes)) f;
-- cut off anywhere, it is refused
SELECT count(*), count(*) FILTER (WHERE f.state = '22P03' AND f.detail LIKE 'The bytes end within %') AS refused
FROM contexts, generate_series(0, octet_length(to_bytes(c)) - 1) n, pg_temp.fault(format('SELECT from_bytes(%L)', substr(to_bytes(c), 1, n))) f;

-- binary image
SELECT trace_context_send(c) FROM contexts ORDER BY id;

-- order: by trace, by time, then the rest; equality and hash
CREATE TEMP TABLE many AS SELECT trace_context(md5((i % 50)::text)::uuid::trace_id, (i % 700 + 1)::bigint::span_id, (i % 3)::trace_flags, NULL, CASE WHEN i % 2 = 0 THEN (i % 7 + 1)::bigint::span_id END,
	CASE WHEN i % 5 > 0 THEN repeat('r', i % 5) END, CASE WHEN i % 11 > 0 THEN timestamptz '2026-11-22 13:00:00+00' + i % 13 * interval '1 s' END,
	CASE WHEN i % 4 > 0 THEN jsonb_build_object('k', repeat('v', i % 4)) END) AS c FROM generate_series(1, 3000) i, generate_series(1, 2);
SELECT count(*), count(DISTINCT c), count(DISTINCT c::text), count(DISTINCT trace_context_send(c)) FROM many;
SELECT count(*) AS out_of_order FROM (SELECT c, lag(c) OVER (ORDER BY c) AS before FROM many) s
WHERE before #># c OR trace_id(before) > trace_id(c) OR trace_id(before) = trace_id(c) AND coalesce(created_at_ns(before), 0) > coalesce(created_at_ns(c), 0);
SELECT a #<# b AS "#<#", a #<=# b AS "#<=#", a = b AS "=", a <> b AS "<>", a #>=# b AS "#>=#", a #># b AS "#>#", trace_context_cmp(a, b) < 0 AS cmp,
	trace_context_hash(a) = trace_context_hash(b) AS hash, trace_context_hash_extended(a, 7) = trace_context_hash_extended(b, 7) AS extended
FROM (VALUES ('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'::trace_context, 'cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fd-x'::trace_context),
	('00-7fffffffffffffffffffffffffffffff-b7ad6b7169203331-01', '00-80000000000000000000000000000000-b7ad6b7169203331-01'),
	('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')) v (a, b);
CREATE INDEX many_btree ON many (c);
ANALYZE many;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT c FROM many WHERE c #># '00-ff000000000000000000000000000000-0000000000000001-00' ORDER BY c;
SELECT count(*) FROM many WHERE c #>=# '00-c0000000000000000000000000000000-0000000000000001-00';
DROP INDEX many_btree;
CREATE INDEX many_hash ON many USING hash (c);
EXPLAIN (COSTS OFF) SELECT c FROM many WHERE c = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
SELECT count(*) FROM many WHERE c = (SELECT max(c::text) FROM many)::trace_context;
RESET enable_seqscan;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM many a JOIN (SELECT DISTINCT c FROM many) b USING (c);
-- contexts that are stored out of line
CREATE TEMP TABLE wide (c trace_context);
ALTER TABLE wide ALTER c SET STORAGE external;
INSERT INTO wide SELECT trace_context('0af7651916cd43dd8448eb211c80319c', i::bigint::span_id, baggage => jsonb_build_object('k', repeat('x', 60000))) FROM generate_series(1, 20) i;
SELECT count(*), count(DISTINCT c), sum(length(baggage(c, 'k'))), max(span_id(c)::bigint) FROM wide;
SELECT string_agg(span_id(c)::bigint::text, ' ' ORDER BY c) FROM wide;
DROP TABLE contexts, head, many, wide;
