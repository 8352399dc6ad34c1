/* See squashfs_pipeline.h. Whoever has compressed the block whose turn it is writes, and goes on as
 * long as the next one is ready. */
#define _GNU_SOURCE
#include "squashfs_pipeline.h"

#include <libdeflate.h>
#include <pthread.h>
#include <sqfs/block.h>
#include <sqfs/error.h>
#include <stdlib.h>
#include <string.h>

#include "known_data.h"

#define WORKERS_MAX 64
/* Blocks under way for each worker, and at least: enough that none waits for the one that reads, be
 * that kept off its core for a while. */
#define BACKLOG 10
#define BACKLOG_MIN (16u << 20) /* bytes */
#define UNCOMPRESSED (1u << 24)
#define COMPARED (64u << 10)
#define STACK_SIZE (512u << 10)

struct pipeline {
    struct pipeline_settings set;
    pthread_mutex_t lock;
    pthread_cond_t work, room;
    /* In order, from the one to be written next; the first that nobody has begun to compress. */
    struct pipeline_block *first, **end, *next;
    struct pipeline_block *spare;
    struct pipeline_block *writing; /* it is out of the list then */
    unsigned blocks, blocks_max, idle;
    bool waiting, quitting;
    int code; /* the first error */

    /* Of whoever writes. */
    uint64_t at;
    uint64_t file_start, file_digest;
    struct known_data files; /* their blocks: where they begin in the image */

    unsigned workers, claimed;
    pthread_t threads[WORKERS_MAX];
    sqfs_compressor_t *compressors[WORKERS_MAX];
};

static bool is_zero(const uint8_t *data, uint32_t size)
{
    return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* Result: 0 or an error. A full block of zeros is not stored at all. */
static int compress(struct pipeline_block *b, sqfs_compressor_t *compressor, uint32_t block_size)
{
    const uint8_t *stored = b->packed;
    sqfs_s32 size;

    b->stored = 0;
    b->digest = 0;
    if (b->inode != NULL && is_zero(b->data, b->size))
        return 0;
    size = compressor->do_block(compressor, b->data, b->size, b->packed, block_size);
    if (size < 0)
        return size;
    b->stored = (uint32_t)size;
    if (size == 0) {
        b->stored = b->size | UNCOMPRESSED;
        stored = b->data;
    }
    if (b->inode != NULL)
        b->digest = mix(b->stored, libdeflate_crc32(0, stored, SQFS_ON_DISK_BLOCK_SIZE(b->stored)));
    return 0;
}

static bool same_bytes(const struct pipeline *p, uint64_t a, uint64_t b, uint64_t length)
{
    uint8_t *bytes = malloc((size_t)2 * COMPARED);
    bool same = bytes != NULL;

    for (uint64_t n; same && length > 0; a += n, b += n, length -= n) {
        n = length < COMPARED ? length : COMPARED;
        same = p->set.file->read_at(p->set.file, a, bytes, n) == 0 &&
               p->set.file->read_at(p->set.file, b, bytes + COMPARED, n) == 0 &&
               memcmp(bytes, bytes + COMPARED, n) == 0;
    }
    free(bytes);
    return same;
}

static bool is_this_file(void *context, uint64_t place)
{
    const struct pipeline *p = context;
    return same_bytes(p, place, p->file_start, p->at - p->file_start);
}

/* Where the blocks of the file that ends at p->at are: they may have been in the image before. */
static uint64_t place_of_file(struct pipeline *p)
{
    uint64_t place, length = p->at - p->file_start;

    if (length == 0)
        return p->file_start;
    if (known_data_find(&p->files, p->file_digest, length, is_this_file, p, &place))
        return place;
    known_data_add(&p->files, p->file_digest, length, p->file_start);
    return p->file_start;
}

/* Takes back the blocks of a file that are there twice. */
static int end_of_file(struct pipeline *p, uint64_t *start)
{
    *start = place_of_file(p);
    if (*start == p->file_start)
        return 0;
    p->at = p->file_start;
    return p->set.file->truncate(p->set.file, p->at);
}

static int write_block(struct pipeline *p, const struct pipeline_block *b, uint64_t *start)
{
    uint32_t size = SQFS_ON_DISK_BLOCK_SIZE(b->stored);
    int code = 0;

    if (b->inode != NULL && b->index == 0) {
        p->file_start = p->at;
        p->file_digest = 0;
    }
    *start = p->at;
    if (size > 0)
        code = p->set.file->write_at(p->set.file, p->at,
                                     b->stored & UNCOMPRESSED ? b->data : b->packed, size);
    p->at += size;
    p->file_digest = mix(p->file_digest, b->digest);
    return code == 0 && b->last ? end_of_file(p, start) : code;
}

/* With the lock held: both threads change the inode of a file whose tail comes before its blocks.
 */
static int record(struct pipeline *p, const struct pipeline_block *b, uint64_t start)
{
    if (b->inode == NULL)
        return sqfs_frag_table_set(p->set.fragments, b->index, start, b->stored);
    b->inode->extra[b->index] = b->stored;
    if (b->stored == 0) {
        sqfs_inode_make_extended(b->inode);
        b->inode->data.file_ext.sparse += b->size;
    }
    return b->last ? sqfs_inode_set_file_block_start(b->inode, start) : 0;
}

static void fail(struct pipeline *p, int code)
{
    if (p->code == 0)
        p->code = code;
}

/* Both with the lock held, which they give back meanwhile. */
static void write_ready(struct pipeline *p)
{
    while (p->writing == NULL && p->first != NULL && p->first->done) {
        struct pipeline_block *b = p->first;
        uint64_t start = 0;
        int code = p->code;

        p->writing = b;
        p->first = b->next;
        if (p->first == NULL)
            p->end = &p->first;
        if (code == 0) {
            pthread_mutex_unlock(&p->lock);
            code = write_block(p, b, &start);
            pthread_mutex_lock(&p->lock);
        }
        fail(p, code != 0 ? code : record(p, b, start));
        p->writing = NULL;
        b->next = p->spare;
        p->spare = b;
        if (p->waiting)
            pthread_cond_signal(&p->room);
    }
}

static void work_on_next(struct pipeline *p, sqfs_compressor_t *compressor)
{
    struct pipeline_block *b = p->next;
    int code = p->code;

    p->next = b->next;
    if (code == 0) {
        pthread_mutex_unlock(&p->lock);
        code = compress(b, compressor, p->set.block_size);
        pthread_mutex_lock(&p->lock);
    }
    fail(p, code);
    b->done = true;
    write_ready(p);
}

static void *work(void *argument)
{
    struct pipeline *p = argument;
    sqfs_compressor_t *compressor;

    pthread_mutex_lock(&p->lock);
    compressor = p->compressors[p->claimed++];
    while (!p->quitting) {
        if (p->next != NULL) {
            work_on_next(p, compressor);
            continue;
        }
        p->idle++;
        pthread_cond_wait(&p->work, &p->lock);
        p->idle--;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int start_workers(struct pipeline *p)
{
    pthread_attr_t attributes;
    unsigned wanted = p->set.workers < WORKERS_MAX ? p->set.workers : WORKERS_MAX;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    for (unsigned i = 0; i < (wanted == 0 ? 1 : wanted); i++) {
        p->compressors[i] = (sqfs_compressor_t *)(uintptr_t)sqfs_copy(p->set.compressor);
        if (p->compressors[i] == NULL)
            return SQFS_ERROR_ALLOC;
        /* Where no more threads are allowed, fewer do as well, or the caller's alone. */
        if (pthread_create(&p->threads[p->workers], &attributes, work, p) != 0)
            break;
        p->workers++;
    }
    pthread_attr_destroy(&attributes);
    return 0;
}

int pipeline_new(const struct pipeline_settings *settings, struct pipeline **result)
{
    struct pipeline *p = calloc(1, sizeof(*p));
    unsigned least = BACKLOG_MIN / settings->block_size, wanted = settings->workers * BACKLOG;
    int code;

    if (p == NULL)
        return SQFS_ERROR_ALLOC;
    p->set = *settings;
    p->end = &p->first;
    p->blocks_max = wanted > least ? wanted : least;
    p->at = settings->file->get_size(settings->file);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->room, NULL);
    code = start_workers(p);
    if (code != 0)
        pipeline_free(p);
    else
        *result = p;
    return code;
}

static void free_blocks(struct pipeline_block *b)
{
    while (b != NULL) {
        struct pipeline_block *next = b->next;
        pipeline_discard(b);
        b = next;
    }
}

void pipeline_free(struct pipeline *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->quitting = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->workers; i++)
        pthread_join(p->threads[i], NULL);
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        sqfs_destroy(p->compressors[i]);
    free_blocks(p->first);
    free_blocks(p->spare);
    known_data_free(&p->files);
    pthread_cond_destroy(&p->room);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void pipeline_discard(struct pipeline_block *b)
{
    if (b == NULL)
        return;
    free(b->data);
    free(b->packed);
    free(b);
}

static struct pipeline_block *new_block(const struct pipeline *p)
{
    struct pipeline_block *b = calloc(1, sizeof(*b));

    if (b == NULL)
        return NULL;
    b->data = malloc(p->set.block_size);
    b->packed = malloc(p->set.block_size);
    if (b->data != NULL && b->packed != NULL)
        return b;
    pipeline_discard(b);
    return NULL;
}

/* With the lock held. */
static int take_block(struct pipeline *p, struct pipeline_block **block)
{
    struct pipeline_block *b;

    while (p->code == 0 && p->spare == NULL && p->blocks >= p->blocks_max) {
        p->waiting = true;
        pthread_cond_wait(&p->room, &p->lock);
        p->waiting = false;
    }
    if (p->code != 0)
        return p->code;
    b = p->spare;
    if (b != NULL)
        p->spare = b->next;
    else if ((b = new_block(p)) != NULL)
        p->blocks++;
    else
        return SQFS_ERROR_ALLOC;
    *b = (struct pipeline_block){.data = b->data, .packed = b->packed};
    *block = b;
    return 0;
}

int pipeline_block(struct pipeline *p, struct pipeline_block **block)
{
    int code;

    pthread_mutex_lock(&p->lock);
    code = take_block(p, block);
    pthread_mutex_unlock(&p->lock);
    return code;
}

int pipeline_tails(struct pipeline *p, struct pipeline_block **block)
{
    int code;

    pthread_mutex_lock(&p->lock);
    code = take_block(p, block);
    if (code == 0 &&
        (code = sqfs_frag_table_append(p->set.fragments, 0, 0, &(*block)->index)) != 0) {
        (*block)->next = p->spare;
        p->spare = *block;
        *block = NULL;
    }
    pthread_mutex_unlock(&p->lock);
    return code;
}

void pipeline_submit(struct pipeline *p, struct pipeline_block *block)
{
    pthread_mutex_lock(&p->lock);
    *p->end = block;
    p->end = &block->next;
    if (p->next == NULL)
        p->next = block;
    if (p->idle > 0)
        pthread_cond_signal(&p->work);
    if (p->workers == 0)
        work_on_next(p, p->compressors[0]);
    pthread_mutex_unlock(&p->lock);
}

int pipeline_finish(struct pipeline *p)
{
    int code;

    pthread_mutex_lock(&p->lock);
    while (p->first != NULL || p->writing != NULL) {
        p->waiting = true;
        pthread_cond_wait(&p->room, &p->lock);
        p->waiting = false;
    }
    code = p->code;
    pthread_mutex_unlock(&p->lock);
    return code;
}

void pipeline_set_tail(struct pipeline *p, sqfs_inode_generic_t *inode, uint32_t index,
                       uint32_t offset)
{
    pthread_mutex_lock(&p->lock);
    sqfs_inode_set_frag_location(inode, index, offset);
    pthread_mutex_unlock(&p->lock);
}

static const struct pipeline_block *find_tails(const struct pipeline *p, uint32_t index)
{
    if (p->writing != NULL && p->writing->inode == NULL && p->writing->index == index)
        return p->writing;
    for (const struct pipeline_block *b = p->first; b != NULL; b = b->next)
        if (b->inode == NULL && b->index == index)
            return b;
    return NULL;
}

bool pipeline_peek(struct pipeline *p, uint32_t index, uint32_t offset, void *copy, uint32_t size,
                   sqfs_fragment_t *where)
{
    const struct pipeline_block *b;

    pthread_mutex_lock(&p->lock);
    b = find_tails(p, index);
    if (b != NULL)
        memcpy(copy, b->data + offset, size);
    else if (sqfs_frag_table_lookup(p->set.fragments, index, where) != 0)
        *where = (sqfs_fragment_t){0};
    pthread_mutex_unlock(&p->lock);
    return b != NULL;
}
