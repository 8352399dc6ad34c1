/* init: the static program that becomes the container. Started by a tool as "ch-init", it gets the
 * number of a descriptor of a block that holds struct ch_caller and a plan. By any other name it is
 * ch-run: it makes the plan by itself, on the small engine (c/engine). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../engine/engine.h"
#include "carry_out.h"
#include "message.h"
#include "plan.h"

static const void *map_block(const char *number, size_t *length)
{
    int fd = atoi(number);
    struct stat st;
    void *block;

    if (fstat(fd, &st) < 0)
        FAIL_ERRNO("no plan");
    *length = (size_t)st.st_size;
    block = mmap(NULL, *length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (block == MAP_FAILED)
        FAIL_ERRNO("can't read plan");
    close(fd);
    return block;
}

static void carry_out_given(const char *number)
{
    size_t length;
    const struct ch_caller *caller = map_block(number, &length);

    if (length < sizeof(*caller) + sizeof(struct plan_header) || caller->magic != CALLER_MAGIC)
        FAIL("not started by ch");
    carry_out(caller, caller + 1);
}

static int is_init(const char *name)
{
    const char *slash = strrchr(name, '/');

    return strcmp(slash == NULL ? name : slash + 1, "ch-init") == 0;
}

int main(int argc, char **argv)
{
    if (argc < 1 || !is_init(argv[0]))
        engine_run();
    if (argc != 2)
        FAIL("not started by ch");
    carry_out_given(argv[1]);
}
