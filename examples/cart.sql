-- Three replicas of a shopping cart are changed without hearing of each other, then merged with
-- one statement, in SQL; each step is shown with its answer.
--
--     psql -X -f examples/cart.sql
--
-- needs a database with the extension and leaves nothing behind.

\set QUIET on
\set ON_ERROR_STOP on
\set SHOW_CONTEXT never
\encoding UTF8
\pset pager off
\pset footer off
\pset null '-'
set client_min_messages = warning;

-- Every table is temporary: the three stand for tables of the same name on three servers.
\echo
\echo '== One cart, three servers ========================================================'
\echo 'Each server has a table of carts. A cart is a set of articles, a count of portions, and a'
\echo 'map of where and when to deliver: three CRDTs, whose changes name the node that made them.'
\echo
\set ECHO queries
create temp table cart_berlin (
  customer text primary key, items orset, quantity pncounter, delivery lww_map);
create temp table cart_lima (like cart_berlin including all);
create temp table cart_tokyo (like cart_berlin including all);
\set ECHO none
\echo
\echo 'Berlin takes the first order, and the others get a copy of the row.'
\echo
\set ECHO queries
set distributed.node = 'berlin';
insert into cart_berlin values ('ada', '{}'::orset + 'soup' + 'bread', '{}'::pncounter + 3,
  put(put('{}', 'address', 'Elm Street 1', '2026-11-22T13:00:00Z'),
      'slot', 'morning', '2026-11-22T13:00:00Z'));
insert into cart_lima select * from cart_berlin;
insert into cart_tokyo select * from cart_berlin;
\set ECHO none
-- Shown alike everywhere below: what the columns say, not how they are stored.
create temp view replicas as
	select 'berlin' as replica, * from cart_berlin
	union all select 'lima', * from cart_lima
	union all select 'tokyo', * from cart_tokyo;
\echo
\set ECHO queries
select customer, elements(items), value(quantity), document(delivery) from cart_berlin;
\set ECHO none

\echo '== Now the servers do not hear of each other ======================================'
\echo 'Berlin takes the soup out and one portion less.'
\echo
\set ECHO queries
update cart_berlin set items = items - 'soup', quantity = quantity - 1;
\set ECHO none
\echo
\echo 'Lima adds the soup again and two portions, and changes the address at 13:05.'
\echo
\set ECHO queries
set distributed.node = 'lima';
update cart_lima set items = items + 'soup', quantity = quantity + 2,
  delivery = put(delivery, 'address', 'Oak Street 2', '2026-11-22T13:05:00Z');
\set ECHO none
\echo
\echo 'Tokyo adds noodles and four portions, removes the bread, changes the address at 13:07 and the'
\echo 'slot at 13:06.'
\echo
\set ECHO queries
set distributed.node = 'tokyo';
update cart_tokyo set items = items + 'noodles' - 'bread', quantity = quantity + 4,
  delivery = put(put(delivery, 'address', 'Fig Street 3', '2026-11-22T13:07:00Z'),
                 'slot', 'evening', '2026-11-22T13:06:00Z');
\set ECHO none
-- A new customer, known in one place only.
\echo
\echo 'Lima has a new customer as well, whom nobody else knows.'
\echo
\set ECHO queries
set distributed.node = 'lima';
insert into cart_lima values ('bob', '{}'::orset + 'rice', '{}'::pncounter + 1,
  put('{}', 'address', 'Sea Street 4', '2026-11-22T13:08:00Z'));
\set ECHO none

\echo
\echo '== Before: what each server believes ============================================='
\echo
\set ECHO queries
select 'berlin' as replica, customer, elements(items), value(quantity), document(delivery)
from cart_berlin
union all
select 'lima', customer, elements(items), value(quantity), document(delivery) from cart_lima
union all
select 'tokyo', customer, elements(items), value(quantity), document(delivery) from cart_tokyo
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
\echo '== After =========================================================================='
\echo
\set ECHO queries
select customer, elements(items), value(quantity), document(delivery)
from cart order by customer;
\set ECHO none
\echo 'items:    the soup stays, for the addition in Lima was not seen by the removal in Berlin.'
\echo '          The bread is gone: nobody added it again. The noodles are there.'
\echo 'quantity: 3 - 1 + 2 + 4 = 8; no count is lost.'
\echo 'delivery: the last write of each key, address and slot from Tokyo.'
\echo

\echo '== The same again, in another order, twice, from parts ============================'
\echo 'Merging is idempotent, commutative and associative: whatever is merged with what, how often'
\echo 'and in which order, the result has the same bytes.'
\echo
\set ECHO queries
with again as (    -- the merged carts once more, and Tokyo's twice
  select customer, merge(items) as items, merge(quantity) as quantity, merge(delivery) as delivery
  from (select * from cart_tokyo
        union all select * from cart
        union all select * from cart_berlin
        union all select * from cart_tokyo
        union all select * from cart_lima) r
  group by customer)
select count(*) as carts, bool_and(a.items = c.items and a.quantity = c.quantity
                                   and a.delivery = c.delivery) as unchanged
from again a join cart c using (customer);

select b.customer,    -- any two first, then the third
       count(distinct orset_send(any_order.items)) as item_bytes,
       count(distinct pncounter_send(any_order.quantity)) as quantity_bytes,
       count(distinct lww_map_send(any_order.delivery)) as delivery_bytes
from cart_berlin b join cart_lima l using (customer) join cart_tokyo t using (customer),
     lateral (values
       ((b.items | l.items) | t.items, (b.quantity | l.quantity) | t.quantity,
        (b.delivery | l.delivery) | t.delivery),
       (t.items | (l.items | b.items), t.quantity | (l.quantity | b.quantity),
        t.delivery | (l.delivery | b.delivery)),
       ((l.items | t.items) | b.items, (l.quantity | t.quantity) | b.quantity,
        (l.delivery | t.delivery) | b.delivery)) as any_order (items, quantity, delivery)
group by b.customer;
\set ECHO none
\echo 'One sequence of bytes for each column, in every order.'
\echo

\echo '== What is sent to a server that was away ========================================='
\echo 'Berlin need not be sent a whole set: only what it lacks, given what it has seen.'
\echo
\set ECHO queries
select context(b.items) as seen_in_berlin, delta(c.items, context(b.items)) as lacking,
       b.items | delta(c.items, context(b.items)) = c.items as suffices
from cart_berlin b join cart c using (customer);
\set ECHO none
drop view replicas;
