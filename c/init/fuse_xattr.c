/* Extended attributes for the kernel. */
#define _GNU_SOURCE
#include "fuse_session.h"

#include <errno.h>
#include <string.h>

static void reply_sized(struct fuse_request *request, uint32_t room, const void *data, size_t size)
{
    struct fuse_getxattr_out out = {.size = (uint32_t)size};

    if (room == 0)
        fuse_reply(request, &out, sizeof(out));
    else if (room < size)
        fuse_reply_error(request, ERANGE);
    else
        fuse_reply(request, data, size);
}

static int find_xattr(struct sq_xattrs *list, const char *name, struct sq_xattr *out)
{
    int result;
    while ((result = sq_xattrs_next(list, out, NULL)) > 0)
        if (strcmp(out->name, name) == 0)
            return 0;
    return result < 0 ? result : -ENODATA;
}

static int read_xattr(struct fuse_request *request, const char *name, struct sq_xattr *xattr)
{
    __attribute__((cleanup(sq_xattrs_close))) struct sq_xattrs list = {0};
    struct sq *image = request->session->image;
    struct sq_inode inode;
    int result = fuse_read_node(request, &inode);

    if (result == 0)
        result = sq_xattrs_open(image, &inode, &list, NULL);
    if (result == 0)
        result = find_xattr(&list, name, xattr);
    return result < 0 ? result : sq_xattr_value(image, xattr, request->output, NULL);
}

void fuse_do_getxattr(struct fuse_request *request)
{
    const struct fuse_getxattr_in *in = request->body;
    const char *name = (const char *)(in + 1);
    struct sq_xattr xattr;
    int result = -ENOSYS;

    if (sq_info(request->session->image)->has_xattrs)
        result = read_xattr(request, name, &xattr);
    if (result < 0)
        fuse_reply_error(request, -result);
    else
        reply_sized(request, in->size, request->output, xattr.size);
}

/* Names of "trusted." are left out: in a user namespace nobody can read them. */
static int list_xattrs(struct fuse_request *request, size_t *used)
{
    __attribute__((cleanup(sq_xattrs_close))) struct sq_xattrs list = {0};
    struct sq_inode inode;
    struct sq_xattr xattr;
    int result = fuse_read_node(request, &inode);

    if (result < 0 || (result = sq_xattrs_open(request->session->image, &inode, &list, NULL)) < 0)
        return result;
    while ((result = sq_xattrs_next(&list, &xattr, NULL)) > 0) {
        if (strncmp(xattr.name, "trusted.", 8) == 0)
            continue;
        if (*used + xattr.length + 1 > FUSE_OUTPUT_SIZE)
            return -E2BIG;
        memcpy(request->output + *used, xattr.name, xattr.length + 1);
        *used += xattr.length + 1;
    }
    return result;
}

void fuse_do_listxattr(struct fuse_request *request)
{
    const struct fuse_getxattr_in *in = request->body;
    size_t used = 0;
    int result = -ENOSYS;

    if (sq_info(request->session->image)->has_xattrs)
        result = list_xattrs(request, &used);
    if (result < 0)
        fuse_reply_error(request, -result);
    else
        reply_sized(request, in->size, request->output, used);
}
