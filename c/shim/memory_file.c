/* Files without a name: pipes that never fill up. */
#define _GNU_SOURCE
#include "../ch.h"

#include <sys/mman.h>

int32_t ch_memory_file_open(const char *name, struct ch_error *err)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    return fd < 0 ? CH_FAIL(err, "memfd_create", "%s", name) : fd;
}
