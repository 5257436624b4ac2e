--
-- lattice_state: what is known of an obligation
--

-- @include io T=lattice_state

CREATE TYPE lattice_state (
	INPUT = lattice_state_in, OUTPUT = lattice_state_out, RECEIVE = lattice_state_recv, SEND = lattice_state_send,
	INTERNALLENGTH = 1, PASSEDBYVALUE, ALIGNMENT = char, STORAGE = plain
);
COMMENT ON TYPE lattice_state IS 'what is known of an obligation: unknown < reserved < committed, aborted < conflict';

-- @include order T=lattice_state C=finite_type LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=LEAKPROOF
-- @include lattice T=lattice_state C=lattice_state SPACE=0
-- @include finite T=lattice_state
