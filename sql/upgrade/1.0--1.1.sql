--
-- From 1.0 to 1.1
--

-- a new type: is a row of a replicated table there, and who wrote which of its columns when
-- @fragment replication/row_stamp

-- how servers are linked: commands for a server that leaves, too, and a wait for copies that ends
DROP FUNCTION merge_subscription_commands(jsonb, text, name, text, text);
-- @fragment replication/merge_commands
