/* The plan: what TypeScript decided (lib/container), as init carries it out step by step.
 *
 * One flat block, little endian: header, steps, string pool. A string is an offset into the pool, 0
 * = absent (the pool begins with a NUL). A list is the offset of its first string and a count; its
 * strings follow one another. A blob is an offset and a length. Packed by ffi/plan.ts. */
#ifndef CH_PLAN_H
#define CH_PLAN_H

#include <assert.h>
#include <stdint.h>

#define PLAN_MAGIC 0x6e616c50u /* "Plan" */
#define PLAN_VERSION 1u

struct plan_header {
    uint32_t magic;
    uint32_t version;
    uint32_t step_count;
    uint32_t pool_offset; /* from the start of the block */
    uint32_t pool_length;
    uint32_t program;     /* string: name before [PID] in messages */
    uint32_t warnings;    /* string: printed again when a step fails; may be absent */
    int32_t verbosity;    /* -3 ... 3 */
    uint32_t status_fail; /* exit status when a step fails (31) */
    uint32_t status_exec; /* exit status when the command cannot be executed (49) */
    uint32_t image;       /* string: how messages name the new root */
    uint32_t reserved;
};
static_assert(sizeof(struct plan_header) == 48, "ffi/plan.ts packs this");

enum plan_op {
    PLAN_LOG = 1,            /* s0 text */
    PLAN_USER_NAMESPACE = 2, /* n0..n3 inside uid, outside uid, inside gid, outside gid; F_MOUNTS;
                                F_NO_NETWORK */
    PLAN_SQUASHFS = 3, /* s0 image file, s1 mount point; serves it and makes a mount namespace */
    PLAN_SCRATCH = 4,  /* s0 host directory to cover with a private tmpfs; opens later sources */
    PLAN_ROOT = 5,     /* s0 image directory; F_READ_ONLY */
    PLAN_OVERLAY = 6,  /* s0 upper, s1 work (host directories), or s2 size of a private tmpfs, or
                          s3 host directory that has, or gets, an upper and a work to stay */
    PLAN_BIND = 7,  /* s0 source, s1 target; F_SKIP, or F_MAKE and F_FILE; F_RANCH; F_READ_ONLY */
    PLAN_FILE = 8,  /* s0 name, s1 target, s2 blob, n0 its length, n1 mode */
    PLAN_TMPFS = 9, /* s0 target, s1 options */
    PLAN_PIVOT = 10,
    PLAN_SECCOMP = 11, /* s0 blob of struct sock_filter, n0 its length in bytes */
    PLAN_CHDIR = 12,   /* s0 directory */
    PLAN_NO_NEW_PRIVS = 13,
    PLAN_SILENCE = 14,   /* F_STDOUT, F_STDERR: reopen on /dev/null */
    PLAN_SUPERVISE = 15, /* fork; the parent kills all that is left at the end */
    PLAN_EXEC = 16,      /* s0 list argv, n0 count; s1 list environment, n1 count; s2 search path */
    PLAN_DIRECTORY = 17, /* s0 host directory to make if there is none, n0 mode */
    PLAN_HOLD = 18,      /* s0 lock file, held while the container's root is mounted; s1 blob to be
                            written into it if it is empty, n0 its length; s2 what messages call it */
    PLAN_JOIN_BEGIN = 19, /* s0 tag, n0 count of peers; a loser goes on at PLAN_JOIN_FINISH */
    PLAN_JOIN_FINISH = 20,
    PLAN_JOIN_PID = 21, /* n0 PID, as a signed number */
    PLAN_RUN = 22, /* s0 list argv, argv[0] a path, n0 count; s1 list environment, n1 count; runs
                      it in the container to its end; what it prints is shown with -vv only */
};

enum plan_flag {
    PLAN_F_MOUNTS = 1 << 0,
    PLAN_F_READ_ONLY = 1 << 1,
    PLAN_F_SKIP = 1 << 2,  /* nothing to do if source or target is missing */
    PLAN_F_MAKE = 1 << 3,  /* make missing directories of the target */
    PLAN_F_RANCH = 1 << 4, /* make them even where the caller may not write (symlink ranch) */
    PLAN_F_STDOUT = 1 << 5,
    PLAN_F_STDERR = 1 << 6,
    PLAN_F_XATTRS = 1 << 7,     /* fail where the overlay could not have extended attributes */
    PLAN_F_NO_NETWORK = 1 << 8, /* a network namespace with nothing but the loopback device */
    PLAN_F_FILE = 1 << 9,       /* what is made as the target is an empty file */
};

struct plan_step {
    uint32_t op;
    uint32_t flags;
    uint32_t s[6];
    uint64_t n[4];
};
static_assert(sizeof(struct plan_step) == 64, "ffi/plan.ts packs this");

#endif
