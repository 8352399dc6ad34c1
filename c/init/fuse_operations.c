/* What the kernel asks, and the image's answers. The image cannot change, so all of them hold for
 * ever and the kernel asks everything once, as long as its memory lasts. No state is kept for the
 * kernel's sake: a node id is the inode's reference. */
#define _GNU_SOURCE
#include "fuse_session.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOR_EVER UINT32_MAX /* seconds */
#define BLOCK_MIN 4096      /* of an image */
#define PARTS_MAX (FUSE_READ_MAX / BLOCK_MIN + 2)

/* 1 is the root's, 0 means there is none. */
uint64_t fuse_node_of(const struct fuse_session *session, uint64_t ref)
{
    return ref == session->root ? FUSE_ROOT_ID : ref + 2;
}

int fuse_read_node(const struct fuse_request *request, struct sq_inode *inode)
{
    const struct fuse_session *session = request->session;
    uint64_t node = request->header->nodeid;

    return sq_inode_read(session->image, node == FUSE_ROOT_ID ? session->root : node - 2, inode,
                         NULL);
}

/* The numbers of owners are those of the mount's user namespace: 0 is whoever started us, and who
 * has no number there is shown as 65534. */
static void fill_attr(const struct sq_inode *inode, struct fuse_attr *out)
{
    *out = (struct fuse_attr){
        .ino = inode->number,
        .size = inode->size,
        .blocks = inode->type == SQ_FILE ? (inode->size - inode->holes + 511) / 512 : 0,
        .atime = inode->mtime,
        .mtime = inode->mtime,
        .ctime = inode->mtime,
        .mode = inode->mode,
        .nlink = inode->links,
        .uid = inode->uid,
        .gid = inode->gid,
        .rdev = inode->rdev,
    };
}

void fuse_fill_entry(const struct fuse_session *session, const struct sq_inode *inode,
                     struct fuse_entry_out *out)
{
    *out = (struct fuse_entry_out){
        .nodeid = fuse_node_of(session, inode->ref),
        .entry_valid = FOR_EVER,
        .attr_valid = FOR_EVER,
    };
    fill_attr(inode, &out->attr);
}

static void do_init(struct fuse_request *request)
{
    const struct fuse_init_in *in = request->body;
    struct fuse_init_out out = {
        .major = FUSE_KERNEL_VERSION,
        .minor = FUSE_KERNEL_MINOR_VERSION,
        .flags = FUSE_ASYNC_READ | FUSE_PARALLEL_DIROPS | FUSE_DO_READDIRPLUS |
                 FUSE_CACHE_SYMLINKS | FUSE_NO_OPEN_SUPPORT | FUSE_NO_OPENDIR_SUPPORT |
                 FUSE_MAX_PAGES | FUSE_ASYNC_DIO,
        .max_background = 64,
        .congestion_threshold = 48,
        .max_write = 4096,
        .time_gran = 1000000000,
        .max_pages = 256, /* the most that an unprivileged mount gets */
    };

    if (in->major < FUSE_KERNEL_VERSION) {
        fuse_reply_error(request, EPROTO);
        return;
    }
    request->session->kernel_flags = in->flags;
    out.flags &= in->flags;
    out.max_readahead = in->max_readahead;
    fuse_reply(request, &out, sizeof(out));
}

static void do_lookup(struct fuse_request *request)
{
    const char *name = request->body;
    struct sq *image = request->session->image;
    /* Zeros for ever: there is no such name. */
    struct fuse_entry_out out = {.entry_valid = FOR_EVER};
    struct sq_inode dir, inode;
    size_t length = strnlen(name, request->size);
    uint64_t ref;
    int result = length > NAME_MAX ? -ENAMETOOLONG : fuse_read_node(request, &dir);

    if (result == 0)
        result = sq_lookup(image, &dir, name, length, &ref, NULL);
    if (result > 0 && (result = sq_inode_read(image, ref, &inode, NULL)) == 0) {
        fuse_fill_entry(request->session, &inode, &out);
        fuse_after_lookup(request->session, &dir, &inode);
    }
    if (result < 0)
        fuse_reply_error(request, -result);
    else
        fuse_reply(request, &out, sizeof(out));
}

static void do_getattr(struct fuse_request *request)
{
    struct fuse_attr_out out = {.attr_valid = FOR_EVER};
    struct sq_inode inode;
    int result = fuse_read_node(request, &inode);

    if (result < 0) {
        fuse_reply_error(request, -result);
        return;
    }
    fill_attr(&inode, &out.attr);
    fuse_reply(request, &out, sizeof(out));
}

static void do_readlink(struct fuse_request *request)
{
    struct sq_inode inode;
    int result = fuse_read_node(request, &inode);

    if (result == 0)
        result = sq_readlink(request->session->image, &inode, request->output, NULL);
    if (result < 0)
        fuse_reply_error(request, -result);
    else
        fuse_reply(request, request->output, inode.size);
}

/* Only asked for access(2) and chdir(2), as the mount leaves permission to us. All may read and
 * enter everything; a file that nobody may execute is no program though, for root neither. */
static void do_access(struct fuse_request *request)
{
    const struct fuse_access_in *in = request->body;
    struct sq_inode inode;
    int result = fuse_read_node(request, &inode);

    if (result == 0 && (in->mask & X_OK) && inode.type == SQ_FILE && !(inode.mode & 0111))
        result = -EACCES;
    fuse_reply_error(request, -result);
}

static void do_read(struct fuse_request *request)
{
    const struct fuse_read_in *in = request->body;
    struct sq *image = request->session->image;
    struct sq_span spans[PARTS_MAX];
    struct iovec parts[PARTS_MAX + 1];
    struct sq_inode inode;
    int count = fuse_read_node(request, &inode);

    if (count == 0)
        count = sq_map(image, &inode, in->offset, in->size, spans, PARTS_MAX, NULL);
    if (count < 0) {
        fuse_reply_error(request, -count);
        return;
    }
    for (int i = 0; i < count; i++)
        parts[i + 1] = (struct iovec){(void *)(uintptr_t)spans[i].data, spans[i].size};
    fuse_reply_parts(request, parts, count + 1);
    sq_unmap(image, spans, count);
    fuse_after_read(request->session);
    if (request->session->push != NULL)
        fuse_push_after_read(request->session->push, &inode, in->offset, in->size);
}

static void do_statfs(struct fuse_request *request)
{
    const struct sq_info *info = sq_info(request->session->image);
    struct fuse_statfs_out out = {
        .st =
            {
                .blocks = (info->bytes_used + info->block_size - 1) / info->block_size,
                .files = info->inode_count,
                .bsize = info->block_size,
                .frsize = info->block_size,
                .namelen = NAME_MAX,
            },
    };
    fuse_reply(request, &out, sizeof(out));
}

/* ENOSYS is the answer to everything a read-only file system without locks has no use for; the
 * kernel remembers it for OPEN, FLUSH, INTERRUPT and others. */
void fuse_answer(struct fuse_request *request)
{
    switch (request->header->opcode) {
    case FUSE_INIT:
        return do_init(request);
    case FUSE_LOOKUP:
        return do_lookup(request);
    case FUSE_GETATTR:
        return do_getattr(request);
    case FUSE_READLINK:
        return do_readlink(request);
    case FUSE_ACCESS:
        return do_access(request);
    case FUSE_READ:
        return do_read(request);
    case FUSE_OPENDIR:
        return fuse_do_opendir(request);
    case FUSE_READDIR:
        return fuse_do_readdir(request, false);
    case FUSE_READDIRPLUS:
        return fuse_do_readdir(request, true);
    case FUSE_GETXATTR:
        return fuse_do_getxattr(request);
    case FUSE_LISTXATTR:
        return fuse_do_listxattr(request);
    case FUSE_STATFS:
        return do_statfs(request);
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
        return; /* nothing was remembered, nothing is answered */
    case FUSE_RELEASEDIR:
    case FUSE_DESTROY:
        return fuse_reply_error(request, 0);
    default:
        return fuse_reply_error(request, ENOSYS);
    }
}
