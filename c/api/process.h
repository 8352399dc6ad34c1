/* Users and groups, and init: c/shim/{identity,name_service,process}.c, ffi/process.ts. */
#ifndef CH_API_PROCESS_H
#define CH_API_PROCESS_H

#include "base.h"

#define CH_IDENTITY_GROUPS 1024
struct ch_identity {
    uint32_t uid[3]; /* real, effective, saved */
    uint32_t gid[3];
    uint32_t group_count;
    uint32_t groups[CH_IDENTITY_GROUPS]; /* supplementary; more are left out */
};

CH_API int32_t ch_process_identity(struct ch_identity *identity, struct ch_error *err);
/* Name, GECOS and home as consecutive strings in OUT. Their length; 0 = no such user. */
CH_API int32_t ch_process_find_user(uint32_t uid, char *out, uint32_t cap, struct ch_error *err);
/* Name in OUT. Its length with the NUL; 0 = no such group. */
CH_API int32_t ch_process_find_group(uint32_t gid, char *out, uint32_t cap, struct ch_error *err);
/* Become init with this plan; returns only on failure. CALLER_FD: from the entry code, -1 = none.
 * INIT_PATH is used where the executable carries no init. */
CH_API int32_t ch_process_replace(const void *plan, uint32_t plan_length, int32_t caller_fd,
                                  const char *init_path, struct ch_error *err);
/* The same in a child with these three descriptors as its stdio. Its PID. */
CH_API int32_t ch_process_spawn(const void *plan, uint32_t plan_length, int32_t caller_fd,
                                const char *init_path, const int32_t *stdio, struct ch_error *err);
/* Wait for a child. Its status as of wait(2). */
CH_API int32_t ch_process_wait(int32_t pid, struct ch_error *err);
/* A pipe that children do not inherit: ends for reading and for writing. 0. */
CH_API int32_t ch_process_pipe(int32_t ends[2], struct ch_error *err);

#endif
