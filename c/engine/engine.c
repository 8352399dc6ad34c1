/* See engine.h. */
#include "engine.h"

#include "machine.h"

static txMachine *machine;

void engine_run(void)
{
    machine = machine_restore(engine_snapshot, (size_t)(engine_snapshot_end - engine_snapshot));
    if (machine == NULL) {
        fprintf(stderr, "small engine: damaged executable, or out of memory\n");
        _exit(31);
    }
    machine_call(machine, "start");
    _exit(31); /* start() exits by itself */
}

void engine_close(void)
{
    if (machine != NULL)
        fxDeleteMachine(machine);
    machine = NULL;
}
