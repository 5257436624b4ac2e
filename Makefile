# distributed: replicated state and causal order for PostgreSQL.
#
#   make && make install && make installcheck      (PG_CONFIG=... picks the server)
#
# FEATURES is the one list: each entry ROOM/NAME stands for src/ROOM/NAME.c,
# sql/ROOM/NAME.sql, sql_tests/NAME.sql, expected/NAME.out and doc/NAME.md.
# Its order is the order of the SQL fragments in the extension script.

EXTENSION = distributed
EXTVERSION = 1.1

FEATURES = time/local_node time/vclock time/vclock_gist time/lamport time/hlc time/live_clock \
	time/logical_time time/named_clock time/causal_log time/causal_graph time/shiviz time/spacetime \
	crdt/gcounter crdt/pncounter crdt/lww_register crdt/lww_map crdt/mv_register crdt/orset \
	crdt/or_map crdt/ew_flag crdt/dw_flag crdt/key_gin \
	lattice/lattice_state lattice/lease_state lattice/obligation_lattice lattice/saga \
	trace/trace_id trace/span_id trace/trace_flags trace/trace_context trace/trace_store \
	trace/otlp trace/span_recording trace/find_traces trace/span_tree trace/critical_path \
	trace/trace_record trace/trace_retention trace/jaeger trace/grafana trace/trace_svg \
	replication/row_stamp replication/merge_row replication/merge_nodes replication/merge_table replication/merge_status \
	replication/merge_purge replication/merge_setup replication/replica_repair

# Kernels and codecs: no SQL-callable function lives here.
CORE = input json_tree json_face jsonb_image wire node_name sort_key rows query enum_label markup svg \
	node_table node_table_io node_table_state lattice batch_state hybrid_time wall_clock shared_file shared_clock \
	entry_table entry_splice entry_union entry_list entry_kernel entry_map dot_store dot_store_io \
	set_builder gin_key stamped_map stamped_map_io finite_lattice write_stamp write_stamp_io

# SQL functions that several features share.
SHARED = time/log_table time/event_graph time/shiviz_regex time/spacetime_svg \
	crdt/dot_types crdt/stamped_types lattice/finite_types \
	lattice/obligation_io lattice/obligation_gin \
	lattice/saga_constraint lattice/saga_case lattice/saga_explain \
	trace/hex_id trace/trace_schema trace/otlp_value trace/otlp_flatten trace/otlp_restore \
	trace/otlp_read trace/otlp_write \
	trace/attribute_hygiene trace/span_forest trace/traceparent trace/tracestate trace/baggage \
	trace/trace_context_bytes trace/span_tags trace/trace_rows trace/trace_services \
	trace/trace_timeline trace/flat_value trace/time_text \
	replication/merge_counts replication/merge_shape replication/merge_check \
	replication/merge_rule replication/merge_time replication/merge_store replication/merge_partition \
	replication/merge_continue replication/merge_join replication/merge_write replication/merge_removal \
	replication/merge_arrive replication/merge_own replication/merge_ddl replication/merge_companion replication/merge_convert \
	replication/merge_prune replication/merge_presence replication/merge_catalog replication/merge_told replication/merge_local replication/merge_acknowledge replication/merge_incarnation \
	replication/merge_publication replication/merge_conninfo replication/merge_commands replication/merge_copy

# Tests that concern every type rather than one.
CROSS_TESTS = laws convergence catalog

MODULE_big = distributed
PG_CPPFLAGS = -I$(srcdir)/src
OBJS = src/distributed.o $(CORE:%=src/core/%.o) $(SHARED:%=src/%.o) $(FEATURES:%=src/%.o)

SCRIPT = $(EXTENSION)--$(EXTVERSION).sql

# sql/upgrade/FROM--TO.sql bring a database of an older version up to date.
UPGRADES = 1.0--1.1
UPGRADE_SCRIPTS = $(UPGRADES:%=$(EXTENSION)--%.sql)
DATA_built = $(SCRIPT) $(UPGRADE_SCRIPTS)

REGRESS = $(notdir $(FEATURES)) $(CROSS_TESTS)
REGRESS_STAGE = build/regress
REGRESS_OPTS = --inputdir=$(REGRESS_STAGE) --outputdir=$(REGRESS_STAGE) --load-extension=$(EXTENSION)
REGRESS_PREP = regress-stage

EXTRA_CLEAN = build tmp_check

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Other extensions may export functions of the same names: ours are ours. (From
# 16 on the server's own flags see to that.)
ifneq ($(filter linux freebsd netbsd openbsd,$(PORTNAME)),)
SHLIB_LINK += -Wl,-Bsymbolic
endif

# For builds outside of the source directory.
$(shell mkdir -p $(sort $(dir $(OBJS))))

SQL_FRAGMENTS = $(FEATURES:%=$(srcdir)/sql/%.sql)
SQL_PARTS = $(wildcard $(srcdir)/sql/*/*.sql) $(srcdir)/sql/core/assemble.awk $(srcdir)/Makefile
ASSEMBLE = awk -v rooms=$(srcdir)/sql -v major=$(MAJORVERSION) -f $(srcdir)/sql/core/assemble.awk

$(SCRIPT): $(SQL_PARTS)
	$(ASSEMBLE) -v use="CREATE EXTENSION $(EXTENSION)" $(SQL_FRAGMENTS) > $@.tmp
	mv $@.tmp $@

$(UPGRADE_SCRIPTS): $(EXTENSION)--%.sql: $(srcdir)/sql/upgrade/%.sql $(SQL_PARTS)
	$(ASSEMBLE) -v use="ALTER EXTENSION $(EXTENSION) UPDATE" $< > $@.tmp
	mv $@.tmp $@

# PGXS looks for sql/ and expected/ under the input directory; ours keeps its
# tests in sql_tests/, since sql/ holds the extension itself.
.PHONY: regress-stage tapcheck print-features
regress-stage:
	mkdir -p $(REGRESS_STAGE)
	ln -sfn $(abspath $(srcdir))/sql_tests $(REGRESS_STAGE)/sql
	ln -sfn $(abspath $(srcdir))/expected $(REGRESS_STAGE)/expected

# Tests over several clusters, crashes and upgrades; needs perl's IPC::Run.
tapcheck:
	$(prove_installcheck)

print-features:
	@printf '%s\n' $(FEATURES)

# Every object depends on every header: the tree is small, and a stale object
# after a header change costs more than it saves.
$(OBJS) $(OBJS:.o=.bc): $(wildcard $(srcdir)/src/*/*.h)
