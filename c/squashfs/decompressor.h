/* The compressors of SquashFS behind one function. Workspaces are pooled: each thread borrows one
 * with room for the compressed bytes and gives it back. */
#ifndef SQ_DECOMPRESSOR_H
#define SQ_DECOMPRESSOR_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct sq_decompressor;

struct sq_workspace {
    struct sq_workspace *next;
    void *codec; /* the library's context, if it wants one */
    uint8_t input[];
};

/* ID: as in the superblock. INPUT_SIZE: the most that is ever decompressed at a time. */
int sq_decompressor_new(unsigned id, size_t input_size, struct sq_decompressor **out,
                        struct ch_error *err);
void sq_decompressor_free(struct sq_decompressor *pool);
struct sq_workspace *sq_workspace_borrow(struct sq_decompressor *pool);
void sq_workspace_return(struct sq_decompressor *pool, struct sq_workspace *space);

/* Decompresses INPUT, which lies in SPACE. Returns the number of bytes in OUTPUT, < 0 if they are
 * damaged or more than CAPACITY. */
int64_t sq_decompress(const struct sq_decompressor *pool, struct sq_workspace *space,
                      const uint8_t *input, size_t input_size, uint8_t *output, size_t capacity);

const char *sq_decompressor_name(const struct sq_decompressor *pool);

#endif
