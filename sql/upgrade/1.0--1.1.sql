--
-- From 1.0 to 1.1
--

-- a new type: is a row of a replicated table there, and who wrote which of its columns when
-- @fragment replication/row_stamp
