-- What makes merge_nodes a merged table.

CREATE TABLE merge_nodes_removed (
	node text COLLATE "C" PRIMARY KEY,
	seen vclock,
	_merge row_stamp NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE merge_nodes_removed IS 'names of servers that were forgotten, or have got another, and are not to be used any more';
GRANT SELECT ON merge_nodes_removed TO PUBLIC;
ALTER TABLE merge_nodes ADD COLUMN _merge row_stamp NOT NULL DEFAULT '{}';
ALTER TABLE merge_nodes ADD CONSTRAINT "~merge_arrivals" CHECK (is_merged(_merge));
CREATE TRIGGER "~merge_row" BEFORE INSERT OR UPDATE ON merge_nodes
	FOR EACH ROW EXECUTE FUNCTION merge_row('none', 'remove');
CREATE CONSTRAINT TRIGGER "~merge_after" AFTER INSERT OR DELETE ON merge_nodes FROM merge_nodes_removed
	NOT DEFERRABLE FOR EACH ROW EXECUTE FUNCTION merge_after();
CREATE TRIGGER "~merge_truncate" BEFORE TRUNCATE ON merge_nodes
	FOR EACH STATEMENT EXECUTE FUNCTION merge_truncate();
CREATE TRIGGER "~merge_removed" BEFORE INSERT OR UPDATE OR DELETE ON merge_nodes_removed
	FOR EACH ROW EXECUTE FUNCTION merge_removed();
CREATE TRIGGER "~merge_truncate" BEFORE TRUNCATE ON merge_nodes_removed
	FOR EACH STATEMENT EXECUTE FUNCTION merge_truncate();
ALTER TABLE merge_nodes ENABLE ALWAYS TRIGGER "~merge_row";
ALTER TABLE merge_nodes ENABLE ALWAYS TRIGGER "~merge_after";
ALTER TABLE merge_nodes ENABLE ALWAYS TRIGGER "~merge_truncate";
ALTER TABLE merge_nodes_removed ENABLE ALWAYS TRIGGER "~merge_removed";
ALTER TABLE merge_nodes_removed ENABLE ALWAYS TRIGGER "~merge_truncate";
-- whoever creates the extension may publish them
ALTER TABLE merge_nodes OWNER TO @extowner@;
ALTER TABLE merge_nodes_removed OWNER TO @extowner@;
