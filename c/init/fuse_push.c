/* See fuse_push.h. Two guesses:
 *
 * Who reads here and there in a file has mapped it, as programs and libraries are. The kernel asks
 * for up to 128 KiB around each fault; the rest of the blocks that had to be decoded for that is
 * pushed, and all of a small file.
 *
 * Who reads files in the order of their inodes reads a tree. The files behind are pushed, in
 * batches with one left out between them: that one's read tells how far the reader has come. */
#define _GNU_SOURCE
#include "fuse_push.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuse_session.h"

#define STACK_SIZE (256 << 10)
#define RING 16
#define SPANS 64
#define STORE_MAX (512u << 10) /* bytes decoded and held at a time */

#define MAPPED_MAX (1u << 20) /* files up to this are pushed as a whole */
#define FILES 64              /* how many mapped files are remembered */

#define STREAMS 8
#define STREAM_NEAR 16 /* inode numbers between two files that are not files */
#define STREAM_SURE 3  /* files in order that make a reader of a tree */
#define BATCH_FILES 48
#define BATCH_BYTES (512u << 10)
#define BATCH_INODES 4096           /* looked at, be they files or not */
#define BATCH_FILE_MAX (128u << 10) /* larger ones are left to the kernel's own readahead */

/* What is known of a file that is being read. */
struct file {
    uint64_t ref;
    uint64_t end; /* of the last read */
    bool is_done;
};

/* A reader of a tree, by inode numbers. */
struct stream {
    uint32_t first, next; /* read, and expected */
    uint32_t left_out;    /* the last file left out, 0 if there is none */
    uint64_t ref;         /* that one's inode */
    unsigned sure;        /* files met in order */
    unsigned used;        /* when, to replace the oldest */
    bool is_running;      /* a job of it is in the ring or being done */
    bool wants_more;      /* the reader came to a file left out */
};

struct job {
    struct sq_inode inode;
    uint64_t from, to;         /* of the file, if no stream */
    uint64_t had_from, had_to; /* these bytes the kernel has */
    struct stream *stream;
};

struct fuse_push {
    struct fuse_session *session;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct job ring[RING];
    unsigned first, count, clock;
    struct file files[FILES];
    struct stream streams[STREAMS];
};

/* False: the kernel does not want it. SIZE 0 asks whether it knows the inode. */
static bool store(const struct fuse_session *session, uint64_t ref, uint64_t offset,
                  struct sq_span *spans, int count)
{
    struct fuse_notify_store_out out = {.nodeid = fuse_node_of(session, ref), .offset = offset};
    struct fuse_out_header header = {.error = FUSE_NOTIFY_STORE};
    struct iovec parts[SPANS + 2] = {{&header, sizeof(header)}, {&out, sizeof(out)}};
    ssize_t result;

    for (int i = 0; i < count; i++) {
        parts[i + 2] = (struct iovec){(void *)(uintptr_t)spans[i].data, spans[i].size};
        out.size += (uint32_t)spans[i].size;
    }
    header.len = (uint32_t)(sizeof(header) + sizeof(out)) + out.size;
    while ((result = writev(session->fd, parts, count + 2)) < 0 && errno == EINTR)
        ;
    return result >= 0;
}

static bool push_range(const struct fuse_session *session, const struct sq_inode *inode,
                       uint64_t from, uint64_t to)
{
    struct sq_span spans[SPANS];

    while (from < to) {
        uint64_t left = to - from < STORE_MAX ? to - from : STORE_MAX;
        int count = sq_map(session->image, inode, from, left, spans, SPANS, NULL);
        uint64_t size = 0;
        bool wanted;

        if (count <= 0)
            return false;
        for (int i = 0; i < count; i++)
            size += spans[i].size;
        wanted = store(session, inode->ref, from, spans, count);
        sq_unmap(session->image, spans, count);
        if (!wanted)
            return false;
        from += size;
    }
    return true;
}

/* --- files in the order of their inodes --- */

/* Another reader of the tree has begun here, and does the rest. */
static bool is_begun(struct fuse_push *push, const struct stream *own, uint32_t number)
{
    bool found = false;

    pthread_mutex_lock(&push->lock);
    for (unsigned i = 0; i < STREAMS; i++) {
        const struct stream *other = &push->streams[i];
        if (other != own && other->sure >= STREAM_SURE && other->first <= number &&
            number <= (other->left_out != 0 ? other->left_out : other->next))
            found = true;
    }
    pthread_mutex_unlock(&push->lock);
    return found;
}

/* A batch behind INODE, which becomes the file left out. False: there is none, or the reader has
 * not come so far that the kernel knows these files. */
static bool push_batch(struct fuse_push *push, const struct stream *stream, struct sq_inode *inode)
{
    unsigned files = 0, bytes = 0;

    for (unsigned i = 0; i < BATCH_INODES; i++) {
        if (sq_inode_following(push->session->image, inode, inode, NULL) <= 0)
            return false;
        if (inode->type != SQ_FILE || inode->size == 0)
            continue;
        if (is_begun(push, stream, inode->number) || !store(push->session, inode->ref, 0, NULL, 0))
            return false;
        if (inode->size > BATCH_FILE_MAX || files >= BATCH_FILES || bytes >= BATCH_BYTES)
            return true;
        if (!push_range(push->session, inode, 0, inode->size))
            return false;
        files++;
        bytes += (unsigned)inode->size;
    }
    return false;
}

static void run_stream(struct fuse_push *push, struct job *job)
{
    struct stream *stream = job->stream;
    struct sq_inode *inode = &job->inode;
    bool again = sq_inode_read(push->session->image, inode->ref, inode, NULL) == 0;

    while (again) {
        bool found = push_batch(push, stream, inode);

        pthread_mutex_lock(&push->lock);
        again = found && stream->wants_more;
        stream->wants_more = false;
        stream->is_running = again;
        stream->left_out = found ? inode->number : 0;
        stream->ref = inode->ref;
        if (!found)
            stream->sure = 0;
        pthread_mutex_unlock(&push->lock);
    }
}

/* --- the threads --- */

static void run_job(struct fuse_push *push, struct job *job)
{
    if (job->stream != NULL)
        run_stream(push, job);
    else if (push_range(push->session, &job->inode, job->from,
                        job->to < job->had_from ? job->to : job->had_from))
        push_range(push->session, &job->inode, job->had_to, job->to);
}

static void *run_jobs(void *argument)
{
    struct fuse_push *push = argument;

    for (;;) {
        struct job job;
        pthread_mutex_lock(&push->lock);
        while (push->count == 0)
            pthread_cond_wait(&push->work, &push->lock);
        job = push->ring[push->first];
        push->first = (push->first + 1) % RING;
        push->count--;
        pthread_mutex_unlock(&push->lock);
        run_job(push, &job);
    }
    return NULL;
}

/* With the lock held. It is a guess: where too much is to be done already it is dropped. */
static bool add_job(struct fuse_push *push, const struct job *job)
{
    if (push->count == RING)
        return false;
    push->ring[(push->first + push->count++) % RING] = *job;
    pthread_cond_signal(&push->work);
    return true;
}

struct fuse_push *fuse_push_start(struct fuse_session *session, unsigned threads)
{
    struct fuse_push *push = calloc(1, sizeof(*push));
    pthread_attr_t attributes;
    unsigned started = 0;

    if (push == NULL)
        return NULL;
    push->session = session;
    pthread_mutex_init(&push->lock, NULL);
    pthread_cond_init(&push->work, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (; started < threads; started++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, run_jobs, push) != 0)
            break;
    }
    pthread_attr_destroy(&attributes);
    if (started > 0)
        return push;
    free(push);
    return NULL;
}

/* --- the guesses --- */

static void guess_mapped(struct fuse_push *push, const struct sq_inode *inode, uint64_t offset,
                         size_t size)
{
    uint64_t block_size = sq_info(push->session->image)->block_size, end = offset + size;
    struct file *file = &push->files[(inode->ref * 31) % FILES];
    struct job job = {.inode = *inode, .had_from = offset, .had_to = end};
    bool is_first = file->ref != inode->ref + 1, is_sequential = offset == file->end;

    if (is_first)
        *file = (struct file){.ref = inode->ref + 1};
    file->end = end;
    if (is_first || is_sequential || file->is_done)
        return;
    if (inode->size <= MAPPED_MAX) {
        file->is_done = true;
        job.to = inode->size;
    } else {
        job.from = offset / block_size * block_size;
        job.to = (end + block_size - 1) / block_size * block_size;
        if (job.to > inode->size)
            job.to = inode->size;
    }
    add_job(push, &job);
}

static struct stream *find_stream(struct fuse_push *push, uint32_t number)
{
    struct stream *oldest = NULL;

    push->clock++;
    for (unsigned i = 0; i < STREAMS; i++) {
        struct stream *stream = &push->streams[i];
        uint32_t ahead = stream->left_out > stream->next ? stream->left_out - stream->next : 0;
        if (stream->used != 0 && number - stream->next < ahead + STREAM_NEAR) {
            stream->used = push->clock;
            return stream;
        }
        if (!stream->is_running && (oldest == NULL || stream->used < oldest->used))
            oldest = stream;
    }
    if (oldest != NULL)
        *oldest = (struct stream){.first = number, .used = push->clock};
    return oldest;
}

static void guess_tree(struct fuse_push *push, const struct sq_inode *inode)
{
    struct stream *stream = find_stream(push, inode->number);
    struct job job = {.inode = *inode, .stream = stream};

    if (stream == NULL)
        return;
    stream->next = inode->number + 1;
    stream->sure++;
    if (stream->sure < STREAM_SURE)
        return;
    if (stream->is_running) {
        stream->wants_more = true;
        return;
    }
    if (inode->number < stream->left_out)
        job.inode.ref = stream->ref;
    stream->is_running = add_job(push, &job);
    stream->wants_more = stream->is_running;
}

void fuse_push_after_read(struct fuse_push *push, const struct sq_inode *inode, uint64_t offset,
                          size_t size)
{
    pthread_mutex_lock(&push->lock);
    if (offset == 0)
        guess_tree(push, inode);
    if (size < inode->size)
        guess_mapped(push, inode, offset, size);
    pthread_mutex_unlock(&push->lock);
}
