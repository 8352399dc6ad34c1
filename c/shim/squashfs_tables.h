/* What is written when all data of a SquashFS image is: its inodes, directories and tables. */
#ifndef CH_SQUASHFS_TABLES_H
#define CH_SQUASHFS_TABLES_H

#include <sqfs/compressor.h>
#include <sqfs/frag_table.h>
#include <sqfs/id_table.h>
#include <sqfs/io.h>
#include <sqfs/super.h>
#include <sqfs/xattr_writer.h>

#include "squashfs_tree.h"

/* Block devices are read in blocks of this size, so an image has whole ones. */
#define SQUASHFS_DEVICE_BLOCK 4096

struct squashfs_tables {
    sqfs_file_t *file;
    sqfs_super_t *super;
    sqfs_compressor_t *compressor;
    sqfs_frag_table_t *fragments;
    sqfs_id_table_t *ids;
    sqfs_xattr_writer_t *xattrs;
    struct squashfs_tree *tree;
};

/* 0 or an error of libsquashfs'. Completes the superblock, and writes it as well. */
int squashfs_tables_write(const struct squashfs_tables *tables);

#endif
