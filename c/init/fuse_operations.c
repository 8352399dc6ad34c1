/* What the kernel asks, and the image's answers. The image cannot change, so all of them hold for
 * ever and the kernel asks everything once, as long as its memory lasts. No state is kept for the
 * kernel's sake: a node id is the inode's reference. */
#define _GNU_SOURCE
#include "fuse_session.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOR_EVER UINT32_MAX /* seconds */
#define READ_PAGES 256      /* 1 MiB, the most that an unprivileged mount gets */
#define PAGE 4096
#define PARTS_MAX (READ_PAGES + 2)

/* 1 is the root's, 0 means there is none. */
static uint64_t node_of(const struct fuse_session *session, uint64_t ref)
{
    return ref == session->root ? FUSE_ROOT_ID : ref + 2;
}

static int read_node(const struct fuse_request *request, struct sq_inode *inode)
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

static void fill_entry(const struct fuse_session *session, const struct sq_inode *inode,
                       struct fuse_entry_out *out)
{
    *out = (struct fuse_entry_out){
        .nodeid = node_of(session, inode->ref),
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
        .max_write = PAGE,
        .time_gran = 1000000000,
        .max_pages = READ_PAGES,
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
    uint64_t ref;
    int result = read_node(request, &dir);

    if (result == 0)
        result = sq_lookup(image, &dir, name, strnlen(name, request->size), &ref, NULL);
    if (result > 0 && (result = sq_inode_read(image, ref, &inode, NULL)) == 0)
        fill_entry(request->session, &inode, &out);
    if (result < 0)
        fuse_reply_error(request, -result);
    else
        fuse_reply(request, &out, sizeof(out));
}

static void do_getattr(struct fuse_request *request)
{
    struct fuse_attr_out out = {.attr_valid = FOR_EVER};
    struct sq_inode inode;
    int result = read_node(request, &inode);

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
    int result = read_node(request, &inode);

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
    int result = read_node(request, &inode);

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
    int count = read_node(request, &inode);

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
}

/* --- directories --- */

/* Offsets in a directory: 1 is behind ".", 2 behind "..", then the reader's cookie + 2. */
struct listing {
    struct fuse_request *request;
    bool plus; /* with attributes */
    size_t used, room;
};

/* False if there is no room for it. INODE NULL: without attributes. */
static bool add_entry(struct listing *list, const struct sq_inode *inode, uint64_t number,
                      uint32_t mode, const char *name, size_t length, uint64_t offset)
{
    size_t head = list->plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET;
    size_t size = FUSE_DIRENT_ALIGN(head + length);
    char *at = list->request->output + list->used;
    struct fuse_dirent *entry = (struct fuse_dirent *)at;

    if (size > list->room - list->used)
        return false;
    memset(at, 0, size);
    if (list->plus) {
        struct fuse_direntplus *plus = (struct fuse_direntplus *)at;
        if (inode != NULL)
            fill_entry(list->request->session, inode, &plus->entry_out);
        entry = &plus->dirent;
    }
    entry->ino = number;
    entry->off = offset;
    entry->namelen = (uint32_t)length;
    entry->type = mode >> 12;
    memcpy(entry->name, name, length);
    list->used += size;
    return true;
}

static const uint32_t type_modes[] = {
    [SQ_DIRECTORY] = S_IFDIR,    [SQ_FILE] = S_IFREG,        [SQ_SYMLINK] = S_IFLNK,
    [SQ_BLOCK_DEVICE] = S_IFBLK, [SQ_CHAR_DEVICE] = S_IFCHR, [SQ_FIFO] = S_IFIFO,
    [SQ_SOCKET] = S_IFSOCK,
};

static int add_entries(struct listing *list, struct sq_dir *dir)
{
    struct sq *image = list->request->session->image;
    struct sq_dirent entry;
    struct sq_inode inode;
    int result;

    while ((result = sq_dir_next(dir, &entry, NULL)) > 0) {
        bool known = list->plus && sq_inode_read(image, entry.ref, &inode, NULL) == 0;
        if (!add_entry(list, known ? &inode : NULL, entry.number, type_modes[entry.type],
                       entry.name, entry.length, entry.cookie + 2))
            return 0;
    }
    return result;
}

static int list_directory(struct listing *list, uint64_t offset)
{
    struct sq_inode inode;
    struct sq_dir dir;
    int result = read_node(list->request, &inode);

    if (result < 0)
        return result;
    if (offset == 0 && add_entry(list, NULL, inode.number, S_IFDIR, ".", 1, 1))
        offset = 1;
    if (offset == 1 && add_entry(list, NULL, inode.parent, S_IFDIR, "..", 2, 2))
        offset = 2;
    if (offset < 2)
        return 0;
    result = sq_dir_open(list->request->session->image, &inode, offset - 2, &dir, NULL);
    if (result == 0)
        result = add_entries(list, &dir);
    sq_dir_close(&dir);
    return result;
}

static void do_readdir(struct fuse_request *request, bool plus)
{
    const struct fuse_read_in *in = request->body;
    struct listing list = {request, plus, 0, in->size};
    int result;

    if (list.room > FUSE_OUTPUT_SIZE)
        list.room = FUSE_OUTPUT_SIZE;
    result = list_directory(&list, in->offset);
    if (result < 0 && list.used == 0)
        fuse_reply_error(request, -result);
    else
        fuse_reply(request, request->output, list.used);
}

/* ENOSYS tells the kernel never to ask again, and to keep what it has read in its caches, listings
 * too. Kernels before 5.1 want to hear the latter for each directory. */
static void do_opendir(struct fuse_request *request)
{
    struct fuse_open_out out = {.open_flags = FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR};

    if (request->session->kernel_flags & FUSE_NO_OPENDIR_SUPPORT)
        fuse_reply_error(request, ENOSYS);
    else
        fuse_reply(request, &out, sizeof(out));
}

/* --- extended attributes --- */

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
    int result = read_node(request, &inode);

    if (result == 0)
        result = sq_xattrs_open(image, &inode, &list, NULL);
    if (result == 0)
        result = find_xattr(&list, name, xattr);
    return result < 0 ? result : sq_xattr_value(image, xattr, request->output, NULL);
}

static void do_getxattr(struct fuse_request *request)
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
    int result = read_node(request, &inode);

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

static void do_listxattr(struct fuse_request *request)
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
                .namelen = 255,
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
        return do_opendir(request);
    case FUSE_READDIR:
        return do_readdir(request, false);
    case FUSE_READDIRPLUS:
        return do_readdir(request, true);
    case FUSE_GETXATTR:
        return do_getxattr(request);
    case FUSE_LISTXATTR:
        return do_listxattr(request);
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
