--
-- lease_state: what is known of a lease
--

-- @include io T=lease_state

CREATE TYPE lease_state (
	INPUT = lease_state_in, OUTPUT = lease_state_out, RECEIVE = lease_state_recv, SEND = lease_state_send,
	INTERNALLENGTH = 1, PASSEDBYVALUE, ALIGNMENT = char, STORAGE = plain
);
COMMENT ON TYPE lease_state IS 'what is known of a lease: unknown < active < released, expired < conflict';

-- @include order T=lease_state C=finite_type LT=#<# LE=#<=# GE=#>=# GT=#># LEAK=LEAKPROOF
-- @include lattice T=lease_state C=lease_state SPACE=0
-- @include finite T=lease_state
