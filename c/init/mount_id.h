/* Mounts by their IDs, as /proc/self/mountinfo has them (proc(5)). */
#ifndef CH_MOUNT_ID_H
#define CH_MOUNT_ID_H

/* The mount that FD, which may be an O_PATH descriptor, lies in; -1 if unknown. */
int mount_id_of(int fd);
/* Calls NOTE for each mount at PATH, which has no blanks, or below. -1 and errno if they cannot be
 * listed. */
int mount_id_list(const char *path, void (*note)(void *argument, int id), void *argument);

#endif
