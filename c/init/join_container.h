/* A container as seen from outside: the namespaces of a process in it. */
#ifndef CH_JOIN_CONTAINER_H
#define CH_JOIN_CONTAINER_H

#include <stdint.h>

/* Namespaces; open, they outlive the process. */
struct container {
    int pid;
    int user;
    int mount;
};

/* Opens those of process PID, PROC being /proc: 0, or errno, nothing being open then. */
int container_open(struct container *container, int proc, int pid);
void container_close(struct container *container);
/* Inode numbers tell namespaces apart. */
void container_numbers(const struct container *container, uint64_t *user, uint64_t *mount);
/* Those that we are in. */
void container_own_numbers(int proc, uint64_t *user, uint64_t *mount);
/* From here on we are in the container. Closes it. */
void container_enter(struct container *container);
/* Enter the container of process PID, or end the program. */
void container_join(int pid);

#endif
