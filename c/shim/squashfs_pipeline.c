/* See squashfs_pipeline.h. Whoever has compressed the block whose turn it is writes, and goes on as
 * long as the next one is ready. */
#define _GNU_SOURCE
#include "squashfs_pipeline.h"

#include <pthread.h>
#include <sqfs/error.h>
#include <stdlib.h>

#define WORKERS_MAX 64
/* Blocks under way for each worker, and at least: enough that none waits for the one that reads, be
 * that kept off its core for a while. */
#define BACKLOG 10
#define BACKLOG_MIN (16u << 20) /* bytes */
#define STACK_SIZE (512u << 10)

struct pipeline {
    struct pipeline_settings set;
    pthread_mutex_t lock;
    pthread_cond_t work, room;
    /* In order, from the one to be written next; the first that nobody has begun to compress. */
    struct squashfs_block *first, **end, *next;
    struct squashfs_block *spare;
    struct squashfs_block *writing; /* it is out of the list then */
    unsigned blocks, blocks_max, idle;
    bool waiting, quitting;
    int code; /* the first error */

    struct squashfs_blocks written; /* of whoever writes */

    unsigned workers, claimed;
    pthread_t threads[WORKERS_MAX];
    sqfs_compressor_t *compressors[WORKERS_MAX];
};

static void fail(struct pipeline *p, int code)
{
    if (p->code == 0)
        p->code = code;
}

/* Both with the lock held, which they give back meanwhile. */
static void write_ready(struct pipeline *p)
{
    while (p->writing == NULL && p->first != NULL && p->first->done) {
        struct squashfs_block *b = p->first;
        uint64_t start = 0;
        int code = p->code;

        p->writing = b;
        p->first = b->next;
        if (p->first == NULL)
            p->end = &p->first;
        if (code == 0) {
            pthread_mutex_unlock(&p->lock);
            code = squashfs_blocks_write(&p->written, b, &start);
            pthread_mutex_lock(&p->lock);
        }
        /* With the lock held: whoever fills blocks changes the inode as well, where a file's tail
         * is known before its blocks are written. */
        fail(p, code != 0 ? code : squashfs_blocks_record(&p->written, b, start));
        p->writing = NULL;
        b->next = p->spare;
        p->spare = b;
        if (p->waiting)
            pthread_cond_signal(&p->room);
    }
}

static void work_on_next(struct pipeline *p, sqfs_compressor_t *compressor)
{
    struct squashfs_block *b = p->next;
    int code = p->code;

    p->next = b->next;
    if (code == 0) {
        pthread_mutex_unlock(&p->lock);
        code = squashfs_block_compress(b, compressor, p->set.hash, p->set.block_size);
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
    p->written = (struct squashfs_blocks){
        .file = settings->file,
        .fragments = settings->fragments,
        .hash = settings->hash,
        .at = settings->file->get_size(settings->file),
    };
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

static void free_blocks(struct squashfs_block *b)
{
    while (b != NULL) {
        struct squashfs_block *next = b->next;
        squashfs_block_free(b);
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
    squashfs_blocks_free(&p->written);
    pthread_cond_destroy(&p->room);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* With the lock held. */
static int take_block(struct pipeline *p, struct squashfs_block **block)
{
    struct squashfs_block *b;

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
    else if ((b = squashfs_block_new(p->set.block_size)) != NULL)
        p->blocks++;
    else
        return SQFS_ERROR_ALLOC;
    *b = (struct squashfs_block){.data = b->data, .packed = b->packed};
    *block = b;
    return 0;
}

int pipeline_block(struct pipeline *p, struct squashfs_block **block)
{
    int code;

    pthread_mutex_lock(&p->lock);
    code = take_block(p, block);
    pthread_mutex_unlock(&p->lock);
    return code;
}

int pipeline_tails(struct pipeline *p, struct squashfs_block **block)
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

void pipeline_submit(struct pipeline *p, struct squashfs_block *block)
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
