/* The end of a tool on the small engine: the plan that it made is carried out in this very process.
 */
#include <stdlib.h>
#include <string.h>

#include "../ch.h"
#include "../entry/start.h"
#include "../init/carry_out.h"
#include "engine.h"

/* For ffi/process.ts, as in the shim; but nothing is executed before the command. */
int32_t ch_process_replace(const void *plan, uint32_t plan_length, int32_t caller_fd,
                           const char *init_path, struct ch_error *err)
{
    struct ch_caller caller = {0};
    void *copy = malloc(plan_length);

    (void)caller_fd, (void)init_path;
    if (copy == NULL)
        return CH_FAIL(err, "malloc", "%s", "");
    memcpy(copy, plan, plan_length); /* the engine has the original */
    engine_close();
    record_caller(&caller);
    carry_out(&caller, copy);
}
