/* Content of files on its way into a SquashFS image, one file after the other: full blocks, and
 * tails that share blocks. What is there already, as all blocks of a file or as a tail, is not
 * stored again. */
#ifndef CH_SQUASHFS_DATA_H
#define CH_SQUASHFS_DATA_H

#include <sqfs/compressor.h>
#include <sqfs/frag_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <stdint.h>

#include "keyed_hash.h"

struct squashfs_data;

struct squashfs_data_settings {
    sqfs_file_t *file;
    sqfs_compressor_t *compressor;
    sqfs_frag_table_t *fragments;
    const struct keyed_hash *hash;
    uint32_t block_size;
    unsigned workers;
};

/* Results: 0 or an error of libsquashfs'. Settings point to what lives longer. */
int squashfs_data_new(const struct squashfs_data_settings *settings, struct squashfs_data **result);
/* Whatever state it is in. */
void squashfs_data_free(struct squashfs_data *data);

/* A file of SIZE bytes. Its inode is complete after squashfs_data_finish() and belongs to the
 * caller, who does not free it earlier. */
int squashfs_data_begin(struct squashfs_data *data, uint64_t size, sqfs_inode_generic_t **inode);
/* Where the next bytes of the file go, and for how many there is room: 0 if the file has all. */
int squashfs_data_room(struct squashfs_data *data, uint8_t **at, size_t *room);
/* SIZE bytes, not more than there was room for, have been put there. */
int squashfs_data_filled(struct squashfs_data *data, size_t size);
/* Of the file, still to come. */
uint64_t squashfs_data_missing(const struct squashfs_data *data);
/* Of all files until now. */
uint64_t squashfs_data_bytes(const struct squashfs_data *data);

/* Waits until everything is in the image. */
int squashfs_data_finish(struct squashfs_data *data);

#endif
