/* See carry_out.h. It decides nothing; what it does is decided in lib/container. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carry_out.h"
#include "assembly.h"
#include "bind.h"
#include "command.h"
#include "join.h"
#include "join_container.h"
#include "make_target.h"
#include "message.h"
#include "namespace.h"
#include "overlay.h"
#include "plan.h"
#include "supervise.h"

struct run {
    const struct ch_caller *caller;
    const struct plan_header *header;
    const struct plan_step *steps;
    const char *pool;
    struct assembly assembly;
    struct join join;
    bool is_inside;    /* of the container a peer has built: its steps are done */
    int (*sources)[2]; /* per step: O_PATH descriptors of its sources, or -errno */
};

static const char *text(const struct run *run, uint32_t offset)
{
    return offset == 0 ? "" : run->pool + offset;
}

static char **list(const struct run *run, uint32_t offset, uint64_t count)
{
    char **words = calloc(count + 1, sizeof(char *));
    const char *at = run->pool + offset;

    if (words == NULL)
        FAIL_ERRNO("out of memory");
    for (uint64_t i = 0; i < count; i++, at += strlen(at) + 1)
        words[i] = (char *)at;
    return words;
}

static void open_plan(struct run *run, const struct ch_caller *caller, const void *plan)
{
    run->caller = caller;
    run->header = plan;
    if (run->header->magic != PLAN_MAGIC || run->header->version != PLAN_VERSION)
        FAIL("plan of another version");
    run->steps = (const void *)(run->header + 1);
    run->pool = (const char *)run->header + run->header->pool_offset;
    message_setup(text(run, run->header->program),
                  run->header->warnings == 0 ? NULL : text(run, run->header->warnings),
                  run->header->verbosity, (int)run->header->status_fail);
}

static int open_source(const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* Everything a later step takes from the host, before a part of the host is covered. */
static void open_sources(struct run *run)
{
    run->sources = calloc(run->header->step_count, sizeof(run->sources[0]));
    if (run->sources == NULL)
        FAIL_ERRNO("out of memory");
    for (uint32_t i = 0; i < run->header->step_count; i++) {
        const struct plan_step *step = &run->steps[i];
        if (step->op == PLAN_BIND || step->op == PLAN_ROOT || step->op == PLAN_OVERLAY)
            run->sources[i][0] = open_source(text(run, step->s[0]));
        if (step->op == PLAN_OVERLAY)
            run->sources[i][1] = open_source(text(run, step->s[step->s[3] != 0 ? 3 : 1]));
    }
}

static void overlay(struct run *run, uint32_t i)
{
    const struct plan_step *step = &run->steps[i];

    if (step->s[2] != 0) {
        overlay_memory(&run->assembly, text(run, step->s[2]), step->flags & PLAN_F_XATTRS);
        return;
    }
    if (step->s[3] != 0) {
        overlay_kept(&run->assembly, run->sources[i][1], text(run, step->s[3]));
        return;
    }
    for (int k = 0; k < 2; k++)
        if (run->sources[i][k] < 0) {
            errno = -run->sources[i][k];
            FAIL_ERRNO("can't open: %s", text(run, step->s[k]));
        }
    overlay_disk(&run->assembly, run->sources[i][0], run->sources[i][1]);
}

static bool makes_directories(const struct run *run)
{
    for (uint32_t i = 0; i < run->header->step_count; i++)
        if (run->steps[i].op == PLAN_BIND && run->steps[i].flags & PLAN_F_MAKE)
            return true;
    return false;
}

static void make_directory(const char *path, mode_t mode)
{
    struct stat st;

    if (mkdir(path, mode) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return;
    FAIL_ERRNO("can't mkdir: %s", path);
}

static enum when_missing when_missing(uint32_t flags)
{
    if (flags & PLAN_F_MAKE)
        return flags & PLAN_F_FILE ? MISSING_MAKE_FILE : MISSING_MAKE;
    return flags & PLAN_F_SKIP ? MISSING_SKIP : MISSING_FAIL;
}

static void take_step(struct run *run, uint32_t i)
{
    const struct plan_step *step = &run->steps[i];
    struct assembly *assembly = &run->assembly;
    const uint32_t *s = step->s;
    const uint64_t *n = step->n;

    if (run->is_inside && step->op != PLAN_JOIN_FINISH)
        return;
    switch ((enum plan_op)step->op) {
    case PLAN_LOG:
        dprintf(STDERR_FILENO, "%s[%d]: %s (" __FILE_NAME__ ":%d)\n",
                text(run, run->header->program), (int)getpid(), text(run, s[0]), __LINE__);
        return;
    case PLAN_USER_NAMESPACE:
        namespace_user((unsigned)n[0], (unsigned)n[1], (unsigned)n[2], (unsigned)n[3],
                       step->flags & PLAN_F_MOUNTS, step->flags & PLAN_F_NO_NETWORK);
        return;
    case PLAN_SQUASHFS:
        namespace_squashfs(text(run, s[0]), text(run, s[1]));
        return;
    case PLAN_SCRATCH:
        open_sources(run);
        assembly_cover(assembly, text(run, s[0]));
        return;
    case PLAN_ROOT:
        assembly_root(assembly, run->sources[i][0], text(run, s[0]),
                      step->flags & PLAN_F_READ_ONLY);
        return;
    case PLAN_OVERLAY:
        overlay(run, i);
        return;
    case PLAN_BIND:
        if (assembly->target_count == 0 && makes_directories(run))
            make_target_prepare(assembly);
        bind_mount(assembly, run->sources[i][0], text(run, s[0]), text(run, s[1]),
                   when_missing(step->flags), step->flags & PLAN_F_RANCH,
                   step->flags & PLAN_F_READ_ONLY);
        return;
    case PLAN_FILE:
        assembly_file(assembly, text(run, s[0]), text(run, s[1]), run->pool + s[2], n[0],
                      (unsigned)n[1]);
        return;
    case PLAN_TMPFS:
        assembly_tmpfs(assembly, text(run, s[0]), text(run, s[1]));
        return;
    case PLAN_PIVOT:
        assembly_pivot(assembly);
        return;
    case PLAN_SECCOMP:
        command_seccomp(run->pool + s[0], n[0]);
        return;
    case PLAN_CHDIR:
        if (chdir(text(run, s[0])) < 0)
            FAIL_HINT("it must be a directory in the container that you may enter",
                      "can't cd to %s", text(run, s[0]));
        return;
    case PLAN_NO_NEW_PRIVS:
        command_no_new_privs();
        return;
    case PLAN_SILENCE:
        command_silence(step->flags & PLAN_F_STDOUT, step->flags & PLAN_F_STDERR);
        return;
    case PLAN_SUPERVISE:
        supervise((pid_t)run->caller->parent);
        return;
    case PLAN_EXEC:
        command_exec(run->caller, list(run, s[0], n[0]), list(run, s[1], n[1]), text(run, s[2]),
                     (int)run->header->status_exec);
        return;
    case PLAN_DIRECTORY:
        make_directory(text(run, s[0]), (mode_t)n[0]);
        return;
    case PLAN_HOLD:
        hold_start(&assembly->hold, text(run, s[0]), run->pool + s[1], n[0], text(run, s[2]));
        return;
    case PLAN_JOIN_BEGIN:
        run->is_inside = !join_begin(&run->join, text(run, s[0]), (int)n[0]);
        return;
    case PLAN_JOIN_FINISH:
        join_finish(&run->join);
        run->is_inside = false;
        return;
    case PLAN_JOIN_PID:
        container_join((int)n[0]);
        return;
    case PLAN_RUN:
        command_run(list(run, s[0], n[0]), list(run, s[1], n[1]), run->header->verbosity >= 2);
        return;
    }
    FAIL("unknown step in plan: %u", step->op);
}

void carry_out(const struct ch_caller *caller, const void *plan)
{
    struct run run = {.assembly = {.root_fd = -1, .hold = {.watch_fd = -1}}};
    const char *slash;

    open_plan(&run, caller, plan);
    run.assembly.image = text(&run, run.header->image);
    slash = strrchr(run.assembly.image, '/');
    run.assembly.basename = slash == NULL ? run.assembly.image : slash + 1;
    prctl(PR_SET_NAME, text(&run, run.header->program));
    for (uint32_t i = 0; i < run.header->step_count; i++)
        take_step(&run, i);
    FAIL("plan without a command");
}
