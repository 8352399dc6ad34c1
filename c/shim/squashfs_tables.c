/* The last part of a SquashFS image: inodes and directory listings, from the tree in memory, then
 * the tables, then the superblock that tells where all of them are. */
#include "squashfs_tables.h"

#include <sqfs/dir_writer.h>
#include <sqfs/error.h>
#include <sqfs/inode.h>
#include <sqfs/meta_writer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct end {
    const struct squashfs_tables *t;
    sqfs_meta_writer_t *inodes, *directories;
    sqfs_dir_writer_t *listing;
};

static int list_directory(struct end *end, struct squashfs_node *dir)
{
    int code = sqfs_dir_writer_begin(end->listing, 0);
    for (uint32_t i = 0; i < dir->child_count && code == 0; i++) {
        struct squashfs_name *name = dir->sorted[i];
        code = sqfs_dir_writer_add_entry(end->listing, name->text, name->node->number,
                                         name->node->reference, (sqfs_u16)name->node->mode);
    }
    if (code == 0)
        code = sqfs_dir_writer_end(end->listing);
    if (code != 0)
        return code;
    uint32_t parent = dir->parent == dir ? end->t->super->inode_count + 1 : dir->parent->number;
    dir->inode = sqfs_dir_writer_create_inode(end->listing, 0, dir->xattr, parent);
    if (dir->inode == NULL)
        return SQFS_ERROR_ALLOC;
    /* libsquashfs would count all entries. */
    if (dir->inode->base.type == SQFS_INODE_EXT_DIR)
        dir->inode->data.dir_ext.nlink = dir->links;
    else
        dir->inode->data.dir.nlink = dir->links;
    return 0;
}

/* Numbers as the kernel packs them (new_encode_dev). */
static uint32_t encode_device(uint32_t major, uint32_t minor)
{
    return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

/* An inode of what has neither data nor entries. */
static int make_inode(struct squashfs_node *node)
{
    size_t length = S_ISLNK(node->mode) ? strlen(node->target) : 0;
    sqfs_inode_generic_t *inode = calloc(1, sizeof(*inode) + length + 1);
    if (inode == NULL)
        return SQFS_ERROR_ALLOC;
    switch (node->mode & S_IFMT) {
    case S_IFLNK:
        inode->base.type = SQFS_INODE_SLINK;
        inode->data.slink.nlink = node->links;
        inode->data.slink.target_size = (sqfs_u32)length;
        inode->payload_bytes_available = inode->payload_bytes_used = (sqfs_u32)length;
        memcpy(inode->extra, node->target, length);
        break;
    case S_IFCHR:
    case S_IFBLK:
        inode->base.type = S_ISCHR(node->mode) ? SQFS_INODE_CDEV : SQFS_INODE_BDEV;
        inode->data.dev.nlink = node->links;
        inode->data.dev.devno = encode_device(node->major, node->minor);
        break;
    default:
        inode->base.type = S_ISFIFO(node->mode) ? SQFS_INODE_FIFO : SQFS_INODE_SOCKET;
        inode->data.ipc.nlink = node->links;
    }
    node->inode = inode;
    return 0;
}

static int complete_file(struct squashfs_node *node)
{
    /* Only the extended form counts links. */
    if (node->links == 1)
        return 0;
    int code = sqfs_inode_make_extended(node->inode);
    if (code == 0)
        node->inode->data.file_ext.nlink = node->links;
    return code;
}

static int write_inode(struct squashfs_node *node, void *context)
{
    struct end *end = context;
    const struct squashfs_tables *t = end->t;
    sqfs_u64 block;
    sqfs_u32 offset;
    int code;

    if (S_ISDIR(node->mode))
        code = list_directory(end, node);
    else if (S_ISREG(node->mode))
        code = complete_file(node);
    else
        code = make_inode(node);
    if (code != 0)
        return code;

    sqfs_inode_t *base = &node->inode->base;
    base->mode = (sqfs_u16)node->mode;
    base->mod_time = node->time;
    base->inode_number = node->number;
    code = sqfs_id_table_id_to_index(t->ids, node->uid, &base->uid_idx);
    if (code == 0)
        code = sqfs_id_table_id_to_index(t->ids, node->gid, &base->gid_idx);
    if (code == 0 && node->xattr != SQUASHFS_NO_XATTR)
        code = sqfs_inode_set_xattr_index(node->inode, node->xattr);
    if (code != 0)
        return code;

    sqfs_meta_writer_get_position(end->inodes, &block, &offset);
    node->reference = block << 16 | offset;
    code = sqfs_meta_writer_write_inode(end->inodes, node->inode);
    free(node->inode);
    node->inode = NULL;
    return code;
}

static int write_tree(const struct squashfs_tables *t, struct end *end)
{
    sqfs_file_t *file = t->file;
    end->inodes = sqfs_meta_writer_create(file, t->compressor, 0);
    end->directories =
        sqfs_meta_writer_create(file, t->compressor, SQFS_META_WRITER_KEEP_IN_MEMORY);
    if (end->inodes == NULL || end->directories == NULL)
        return SQFS_ERROR_ALLOC;
    end->listing = sqfs_dir_writer_create(end->directories, SQFS_DIR_WRITER_CREATE_EXPORT_TABLE);
    if (end->listing == NULL)
        return SQFS_ERROR_ALLOC;

    t->super->inode_count = squashfs_tree_number(t->tree);
    if (t->super->inode_count == 0)
        return SQFS_ERROR_ALLOC;
    t->super->inode_table_start = file->get_size(file);
    int code = squashfs_tree_visit(t->tree, write_inode, end);
    if (code == 0)
        code = sqfs_meta_writer_flush(end->inodes);
    if (code == 0)
        code = sqfs_meta_writer_flush(end->directories);
    if (code != 0)
        return code;
    t->super->root_inode_ref = squashfs_tree_root(t->tree)->reference;
    t->super->directory_table_start = file->get_size(file);
    return sqfs_meta_write_write_to_file(end->directories);
}

static int write_tables(const struct squashfs_tables *t, struct end *end)
{
    sqfs_file_t *file = t->file;
    struct squashfs_node *root = squashfs_tree_root(t->tree);
    int code = sqfs_frag_table_write(t->fragments, file, t->super, t->compressor);
    if (code == 0)
        code = sqfs_dir_writer_write_export_table(end->listing, file, t->compressor, root->number,
                                                  root->reference, t->super);
    if (code == 0)
        code = sqfs_id_table_write(t->ids, file, t->super, t->compressor);
    if (code == 0)
        code = sqfs_xattr_writer_flush(t->xattrs, file, t->super, t->compressor);
    if (code != 0)
        return code;
    t->super->bytes_used = file->get_size(file);
    code = sqfs_super_write(t->super, file);
    if (code != 0)
        return code;
    uint64_t size = (t->super->bytes_used + SQUASHFS_DEVICE_BLOCK - 1) / SQUASHFS_DEVICE_BLOCK *
                    SQUASHFS_DEVICE_BLOCK;
    return file->truncate(file, size);
}

int squashfs_tables_write(const struct squashfs_tables *t)
{
    struct end end = {.t = t};
    int code = write_tree(t, &end);
    if (code == 0)
        code = write_tables(t, &end);
    sqfs_destroy(end.listing);
    sqfs_destroy(end.directories);
    sqfs_destroy(end.inodes);
    return code;
}
