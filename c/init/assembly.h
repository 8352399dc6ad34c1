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
/* The mount whose root directory FD is. NAME is for messages. */
void assembly_make_read_only(int fd, const char *name);
/* IMAGE_FD is an O_PATH descriptor of the image's directory, or -errno. */
void assembly_root(struct assembly *assembly, int image_fd, const char *image, bool read_only);
void assembly_file(struct assembly *assembly, const char *name, const char *target,
                   const void *content, size_t length, unsigned int mode);
void assembly_tmpfs(struct assembly *assembly, const char *target, const char *options);
void assembly_pivot(struct assembly *assembly);

/* Paths for messages, valid until the next but few calls: inside the image, and where "/.." of it
 * is. */
const char *assembly_in_image(const struct assembly *assembly, const char *path);
const char *assembly_image_parent(const struct assembly *assembly);
/* Of something in the private tmpfs; the last four are valid. */
const char *assembly_in_scratch(const struct assembly *assembly, const char *name);
void assembly_make_directory(const char *path, unsigned int mode);
/* After something was mounted on the root itself. */
void assembly_reopen_root(struct assembly *assembly);

#endif
