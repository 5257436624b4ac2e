--
-- sagas: what must hold among obligations, and where no single truth fits the reports
--

CREATE TYPE saga_constraint AS (name text, kind text, obligations text[]);
COMMENT ON TYPE saga_constraint IS 'what must hold among obligations: all_or_nothing, mutual_exclusion, or implies, of which the first obligation implies the others';

CREATE TYPE consistency_report AS (
	finding text, constraint_name text, obligation text, node_a text, state_a lattice_state,
	node_b text, state_b lattice_state, merged lattice_state, explanation text
);
COMMENT ON TYPE consistency_report IS 'what does not fit: pairwise_conflict, phantom or violation, where, who said what, and why';

CREATE FUNCTION check_sagas(l obligation_lattice, constraints saga_constraint[]) RETURNS SETOF consistency_report
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION check_sagas(obligation_lattice, saga_constraint[]) IS 'conflicts between nodes, then phantoms and violations of constraints';

CREATE FUNCTION saga_summary(l obligation_lattice, constraints saga_constraint[], OUT constraint_name text, OUT kind text, OUT state text, OUT missing jsonb) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION saga_summary(obligation_lattice, saga_constraint[]) IS 'one row per constraint: open, committed, aborted, conflict or phantom, and which node still has to see what';
