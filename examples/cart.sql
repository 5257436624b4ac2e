-- Three replicas of a table of shopping carts change without hearing of each other, and are
-- merged with one statement. Each step is shown with its SQL and its answer.
--
--     psql -X -f examples/cart.sql
--
-- needs a database that has the extension, and leaves nothing behind. The times are literals,
-- so it prints the same every time; a real program takes tick(..., clock_timestamp()).

\set QUIET on
\set ON_ERROR_STOP on
\set SHOW_CONTEXT never
\encoding UTF8
\pset pager off
\pset footer off
\pset null '-'
set client_min_messages = warning;

\echo
\echo '== One table, three servers ======================================================='
\echo 'Berlin, Lima and Tokyo each keep the carts. A cart is a set of articles, a number of'
\echo 'portions, and a map that tells where and when to deliver. The three tables stand for three'
\echo 'servers: each is changed by its own node only.'
\echo
\set ECHO queries
create temp table cart_berlin (
  customer text primary key,
  items    orset     not null default '{}',
  quantity pncounter not null default '{}',
  delivery lww_map   not null default '{}');
create temp table cart_lima (like cart_berlin including all);
create temp table cart_tokyo (like cart_berlin including all);
\set ECHO none
\echo
\echo 'Ada orders in Berlin; the other two get the row.'
\echo
\set ECHO queries
set distributed.node = 'berlin';
insert into cart_berlin (customer) values ('ada');
update cart_berlin set items = items + 'bread' + 'soup', quantity = quantity + 3,
  delivery = put(put(delivery, 'address', '1 Elm St', '2026-11-22T13:00:00Z'),
                 'slot', 'morning', '2026-11-22T13:00:00Z');

insert into cart_lima select * from cart_berlin;
insert into cart_tokyo select * from cart_berlin;
\set ECHO none

\echo
\echo '== The network is down, and all three go on ======================================='
\echo 'Berlin: no soup, one portion less.'
\echo
\set ECHO queries
update cart_berlin set items = items - 'soup', quantity = quantity - 1;
\set ECHO none
\echo
\echo 'Lima: Ada asks for soup once more, two portions more, and has another address.'
\echo
\set ECHO queries
set distributed.node = 'lima';
update cart_lima set items = items + 'soup', quantity = quantity + 2,
  delivery = put(delivery, 'address', '2 Oak St', '2026-11-22T13:05:00Z');
\set ECHO none
\echo
\echo 'Tokyo: noodles for bread, four portions more, another address still, and the evening. And'
\echo 'Bob, of whom nobody else has heard.'
\echo
\set ECHO queries
set distributed.node = 'tokyo';
update cart_tokyo set items = items - 'bread' + 'noodles', quantity = quantity + 4,
  delivery = put(put(delivery, 'address', '3 Fig St', '2026-11-22T13:04:00Z'),
                 'slot', 'evening', '2026-11-22T13:04:00Z');
insert into cart_tokyo values ('bob', '{}'::orset + 'rice', '{}'::pncounter + 1);
\set ECHO none

\echo
\echo '== Before: what each server holds ================================================='
\echo
\set ECHO queries
select replica, customer, elements(items), value(quantity), document(delivery)
from (select 'berlin' as replica, * from cart_berlin
      union all select 'lima', * from cart_lima
      union all select 'tokyo', * from cart_tokyo) r
order by customer, replica;
\set ECHO none

\echo '== One statement merges them ======================================================'
\echo
\set ECHO queries
create temp table cart (like cart_berlin including all);

insert into cart
select customer, merge(items), merge(quantity), merge(delivery)
from (select * from cart_berlin
      union all select * from cart_lima
      union all select * from cart_tokyo) r
group by customer;
\set ECHO none

\echo
\echo '== After ==========================================================================='
\echo
\set ECHO queries
select customer, elements(items), value(quantity), document(delivery) from cart order by customer;
\set ECHO none
\echo 'items     Berlin removed the soup that it had seen. Lima added it without knowing of that: an'
\echo '          addition wins over a concurrent removal. Nobody added the bread again: it is gone.'
\echo 'quantity  3 - 1 + 2 + 4 = 8: every count is there.'
\echo 'delivery  the last write of each key: address by Lima at 13:05, slot by Tokyo at 13:04.'
\echo

\echo '== Merged again, nothing changes =================================================='
\echo 'The same rows once more, Tokyo''s twice, on top of what is merged already:'
\echo
\set ECHO queries
with again as (
  select customer, merge(items) as items, merge(quantity) as quantity, merge(delivery) as delivery
  from (select * from cart
        union all select * from cart_tokyo
        union all select * from cart_lima
        union all select * from cart_berlin
        union all select * from cart_tokyo) r
  group by customer)
select count(*) as carts, count(*) filter (where cart <> again) as changed
from cart join again using (customer);
\set ECHO none

\echo '== In whatever order, the bytes are equal ========================================='
\echo 'Ada''s cart, merged pair by pair in all six orders of the servers, and how many different'
\echo 'values come out:'
\echo
\set ECHO queries
with replica as (
  select 'b' as name, * from cart_berlin where customer = 'ada'
  union all select 'l', * from cart_lima where customer = 'ada'
  union all select 't', * from cart_tokyo where customer = 'ada')
select count(*) as orders,
       count(distinct orset_send(x.items | (y.items | z.items))) as items,
       count(distinct pncounter_send(x.quantity | (y.quantity | z.quantity))) as quantity,
       count(distinct lww_map_send(x.delivery | (y.delivery | z.delivery))) as delivery
from replica x, replica y, replica z
where x.name <> y.name and y.name <> z.name and z.name <> x.name;
\set ECHO none

\echo '== Only what is missing ==========================================================='
\echo 'To bring Berlin''s set up to date, what it has not seen is enough:'
\echo
\set ECHO queries
select context(b.items) as berlin_has_seen, delta(c.items, context(b.items)) as missing
from cart_berlin b join cart c using (customer);

select elements(b.items | delta(c.items, context(b.items))) as berlin_then,
       b.items | delta(c.items, context(b.items)) = c.items as equal
from cart_berlin b join cart c using (customer);
\set ECHO none
