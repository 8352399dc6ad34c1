/* The small engine: a JavaScript machine (XS) that starts from a snapshot in a fraction of a
 * millisecond, for tools that have to be quick. Its scripts see the language and `native`
 * (native.c), no more. */
#ifndef CH_MACHINE_H
#define CH_MACHINE_H

#include <xsAll.h>
/* after it */
#include <xsScript.h>
#include <xsSnapshot.h>

#include "../error.h"

/* A machine with `native`, for a script to be evaluated in. */
txMachine *machine_new(void);
/* The state of MACHINE as bytes, and back. NULL if that fails. */
int machine_save(txMachine *machine, FILE *to);
txMachine *machine_restore(const void *snapshot, size_t length);
/* What a script is given; both snapshot tool and init know it by these names. */
extern const txCallback native_callbacks[];
extern const int native_callback_count;
void native_define(txMachine *the);

/* For native.c: functions of ours that scripts may call. NULL if there is none of that NAME. */
typedef int32_t (*native_function)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
                                   int64_t);
native_function native_find(const char *name);

/* Evaluates TEXT, whose messages call it NAME. 0, or -1 with a message on standard error. */
int machine_evaluate(txMachine *the, const char *text, size_t length, const char *name);
/* Calls the global function NAME, and whatever that leaves to be done. Returns only if nothing
 * ended the process. 0, or -1 with a message on standard error. */
int machine_call(txMachine *the, const char *name);

#endif
