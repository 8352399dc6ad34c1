/* Listings for the kernel, with or without the attributes of what is listed.
 *
 * With attributes the kernel makes an inode of each name, which takes it several times as long as
 * the listing. It saves more than that if the files are then looked at, or read: an inode is what
 * content can be pushed to (fuse_push.h). So attributes of directories, which whoever goes through
 * a tree needs, are always there; those of the rest for a while after somebody has looked at one
 * that had been listed without. */
#define _GNU_SOURCE
#include "fuse_session.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#define FULL_LISTINGS 256

/* Offsets in a directory: 1 is behind ".", 2 behind "..", then the reader's cookie + 2. */
struct listing {
    struct fuse_request *request;
    bool plus; /* with attributes */
    bool full; /* of all, not only of directories */
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
            fuse_fill_entry(list->request->session, inode, &plus->entry_out);
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
        bool known = list->plus && (list->full || entry.type == SQ_DIRECTORY) &&
                     sq_inode_read(image, entry.ref, &inode, NULL) == 0;
        if (!add_entry(list, known ? &inode : NULL, entry.number, type_modes[entry.type],
                       entry.name, entry.length, entry.cookie + 2))
            return 0;
    }
    return result;
}

static unsigned habit_bit(const struct fuse_habits *habits, uint32_t number)
{
    return number % (sizeof(habits->listed) * 8);
}

/* Whether the listing of DIR from OFFSET on is to tell the attributes of all. */
static bool is_full(struct fuse_habits *habits, const struct sq_inode *dir, uint64_t offset)
{
    unsigned bit = habit_bit(habits, dir->number);
    int left = atomic_load_explicit(&habits->full, memory_order_relaxed);

    if (left > 0) {
        /* Two threads may count one: it is a guess anyway. */
        if (offset == 0)
            atomic_store_explicit(&habits->full, left - 1, memory_order_relaxed);
        return true;
    }
    atomic_fetch_or_explicit(&habits->listed[bit / 64], UINT64_C(1) << bit % 64,
                             memory_order_relaxed);
    return false;
}

void fuse_after_lookup(struct fuse_session *session, const struct sq_inode *dir,
                       const struct sq_inode *found)
{
    struct fuse_habits *habits = &session->habits;
    unsigned bit = habit_bit(habits, dir->number);

    if (found->type != SQ_DIRECTORY &&
        (atomic_load_explicit(&habits->listed[bit / 64], memory_order_relaxed) >> bit % 64 & 1))
        atomic_store_explicit(&habits->full, FULL_LISTINGS, memory_order_relaxed);
}

void fuse_after_read(struct fuse_session *session)
{
    struct fuse_habits *habits = &session->habits;

    if (atomic_load_explicit(&habits->full, memory_order_relaxed) > 0)
        atomic_store_explicit(&habits->full, FULL_LISTINGS, memory_order_relaxed);
}

static int list_directory(struct listing *list, uint64_t offset)
{
    struct sq_inode inode;
    struct sq_dir dir;
    int result = fuse_read_node(list->request, &inode);

    if (result < 0)
        return result;
    if (list->plus)
        list->full = is_full(&list->request->session->habits, &inode, offset);
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

void fuse_do_readdir(struct fuse_request *request, bool plus)
{
    const struct fuse_read_in *in = request->body;
    struct listing list = {.request = request, .plus = plus, .room = in->size};
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
void fuse_do_opendir(struct fuse_request *request)
{
    struct fuse_open_out out = {.open_flags = FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR};

    if (request->session->kernel_flags & FUSE_NO_OPENDIR_SUPPORT)
        fuse_reply_error(request, ENOSYS);
    else
        fuse_reply(request, &out, sizeof(out));
}
