/* Putting the container's file system together on a private tmpfs, and entering it. */
#ifndef CH_ASSEMBLY_H
#define CH_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>

#include "hold.h"

/* Where the container is being put together. */
struct assembly {
    const char *scratch;  /* path of the private tmpfs; NULL before PLAN_SCRATCH */
    const char *image;    /* how messages name the root */
    const char *basename; /* its last component */
    int root_fd;          /* the root so far, its topmost mount; -1 before PLAN_ROOT */
    int ranch_count;
    char **targets; /* canonical targets of earlier binds */
    int target_count;
    int *own_mounts; /* IDs of the mounts in which directories may be made, see mount_id.h */
    int own_mount_count;
    struct hold hold; /* of the overlay's directory */
};

void assembly_cover(struct assembly *assembly, const char *directory);
/* IMAGE_FD is an O_PATH descriptor of the image's directory, or -errno. */
void assembly_root(struct assembly *assembly, int image_fd, const char *image, bool read_only);
/* On a tmpfs of SIZE; NEED_XATTRS: or fail if it has no extended attributes. */
void assembly_overlay_memory(struct assembly *assembly, const char *size, bool need_xattrs);
/* On host directories, both O_PATH descriptors. */
void assembly_overlay_disk(struct assembly *assembly, int upper_fd, int work_fd);
/* On `upper` and `work` of a host directory, which stay; DIRECTORY_FD is an O_PATH descriptor of
 * it, or -errno. */
void assembly_overlay_kept(struct assembly *assembly, int directory_fd, const char *directory);
void assembly_file(struct assembly *assembly, const char *name, const char *target,
                   const void *content, size_t length, unsigned int mode);
void assembly_tmpfs(struct assembly *assembly, const char *target, const char *options);
void assembly_pivot(struct assembly *assembly);
/* After something was mounted on the root itself. */
void assembly_reopen_root(struct assembly *assembly);

#endif
