/* Decoding ahead: a ring of extents somebody will ask for, and threads that load them into the
 * cache. It is a guess, so a full ring drops the newest, and errors are left for the reader to
 * meet. */
#include "image.h"

#define RING 64
#define STACK_SIZE (256u << 10)
#define THREADS_MAX 8

struct sq_readahead {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct sq_extent ring[RING];
    unsigned first, count;
    bool stopping;
    unsigned threads;
    pthread_t thread[THREADS_MAX];
};

static bool wait_for_extent(struct sq_readahead *ahead, struct sq_extent *out)
{
    bool found;

    pthread_mutex_lock(&ahead->lock);
    while (ahead->count == 0 && !ahead->stopping)
        pthread_cond_wait(&ahead->work, &ahead->lock);
    found = !ahead->stopping;
    if (found) {
        *out = ahead->ring[ahead->first];
        ahead->first = (ahead->first + 1) % RING;
        ahead->count--;
    }
    pthread_mutex_unlock(&ahead->lock);
    return found;
}

static void *read_ahead(void *argument)
{
    struct sq *image = argument;
    struct sq_extent extent;

    while (wait_for_extent(image->readahead, &extent)) {
        struct sq_block *block;
        if (!sq_block_known(image->data, extent.disk) &&
            sq_extent_get(image, extent, &block, NULL) == 0)
            sq_block_put(image->data, block);
    }
    return NULL;
}

int sq_start_readahead(struct sq *image, unsigned threads)
{
    struct sq_readahead *ahead = calloc(1, sizeof(*ahead));
    pthread_attr_t attributes;

    if (ahead == NULL)
        return 0;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->work, NULL);
    image->readahead = ahead;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    for (; ahead->threads < threads && ahead->threads < THREADS_MAX; ahead->threads++)
        if (pthread_create(&ahead->thread[ahead->threads], &attributes, read_ahead, image) != 0)
            break;
    pthread_attr_destroy(&attributes);
    if (ahead->threads == 0)
        sq_readahead_stop(image);
    return (int)(image->readahead == NULL ? 0 : ahead->threads);
}

void sq_readahead_stop(struct sq *image)
{
    struct sq_readahead *ahead = image->readahead;

    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stopping = true;
    pthread_cond_broadcast(&ahead->work);
    pthread_mutex_unlock(&ahead->lock);
    for (unsigned i = 0; i < ahead->threads; i++)
        pthread_join(ahead->thread[i], NULL);
    pthread_cond_destroy(&ahead->work);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead);
    image->readahead = NULL;
}

void sq_readahead_add(struct sq *image, struct sq_extent extent)
{
    struct sq_readahead *ahead = image->readahead;

    if (ahead == NULL || (extent.size & (SQ_BLOCK_RAW - 1)) == 0 ||
        sq_block_known(image->data, extent.disk))
        return;
    pthread_mutex_lock(&ahead->lock);
    if (ahead->count < RING) {
        ahead->ring[(ahead->first + ahead->count++) % RING] = extent;
        pthread_cond_signal(&ahead->work);
    }
    pthread_mutex_unlock(&ahead->lock);
}
