/*
 * input.h
 *		How every type reports a value that it cannot accept.
 */
#ifndef DISTRIBUTED_INPUT_H
#define DISTRIBUTED_INPUT_H

#include "postgres.h"

#include "nodes/nodes.h"

/* Where a value comes from, and so how its faults are reported. */
typedef struct InputSource
{
	const char *type_name;  /* SQL type being read */
	const char *hint;       /* the form that is expected, or NULL */
	int sqlstate;           /* of a value of the wrong form */
	const char *message;    /* the same in words; %s is the type */
	const char *key;        /* of the part that is being read, or NULL */
	const char *place;      /* where in a longer text it stands, such as "Line 4: ", or NULL */
	struct Node *escontext; /* soft error sink, or NULL to throw */
} InputSource;

extern InputSource input_from_text(const char *type_name, const char *hint, struct Node *escontext);
extern InputSource input_from_binary(const char *type_name);
extern InputSource input_from_arguments(const char *type_name);

/*
 * Report a fault.  Both return false, so that a reader can say
 * "return input_malformed(...)"; with a soft error context they do return.
 */
extern bool input_malformed(const InputSource *source, const char *detail, ...)
	pg_attribute_printf(2, 3);
extern bool input_out_of_range(const InputSource *source, const char *detail, ...)
	pg_attribute_printf(2, 3);
extern bool input_unordered(const InputSource *source, const char *subject);

/*
 * A text in another encoding; one of the two is the server's.  It may be the text
 * itself, else it ends with NUL.  Returns NULL after a soft error.
 */
extern const char *input_convert(const InputSource *source, const char *text, int length, int from,
								 int to);

/* What may be wrong with a counter. */
typedef enum InputFault
{
	INPUT_FINE,
	INPUT_MISSING,
	INPUT_NOT_WHOLE,
	INPUT_NEGATIVE,
	INPUT_TOO_GREAT
} InputFault;

extern InputFault input_counter(const char *token, uint64 *counter);
extern bool input_counter_fault(const InputSource *source, InputFault fault, const char *subject,
								const char *token);
extern uint64 input_counter_argument(int64 counter, const char *noun, const char *type_name);

#endif /* DISTRIBUTED_INPUT_H */
