/* See cache_commit_ahead.h. What cannot be read here is left to the commit, which says why. */
#include "cache_commit_ahead.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* The commit itself takes half of the time. */
#define THREADS_MAX 3
/* Directories in one another; the commit gets to what is deeper. */
#define DEPTH_MAX 256

/* Files that somebody has taken on. Open addressing, grown at half full. */
struct claim {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
    enum { CLAIM_FREE, CLAIM_COMMIT, CLAIM_AHEAD, CLAIM_DONE } state;
    uint8_t digest[SHA256_SIZE];
};

struct ahead {
    int rootfd;
    atomic_bool over;
    pthread_mutex_t lock;
    pthread_cond_t done;
    struct claim *claims;
    size_t capacity, count;
    pthread_t threads[THREADS_MAX];
    unsigned started;
};

static struct claim *find_claim(const struct ahead *ahead, dev_t dev, ino_t ino)
{
    size_t i = (size_t)((ino ^ (dev << 20)) * 0x9e3779b97f4a7c15u) & (ahead->capacity - 1);

    while (ahead->claims[i].state != CLAIM_FREE &&
           (ahead->claims[i].dev != dev || ahead->claims[i].ino != ino))
        i = (i + 1) & (ahead->capacity - 1);
    return &ahead->claims[i];
}

static int grow(struct ahead *ahead)
{
    struct claim *old = ahead->claims;
    size_t count = ahead->capacity;

    struct claim *grown = calloc(count * 2, sizeof(*grown));
    if (grown == NULL)
        return -1;
    ahead->claims = grown;
    ahead->capacity = count * 2;
    for (size_t i = 0; i < count; i++)
        if (old[i].state != CLAIM_FREE)
            *find_claim(ahead, old[i].dev, old[i].ino) = old[i];
    free(old);
    return 0;
}

/* The lock is held. The claim there is, or a new one of STATE; NULL if out of memory. */
static struct claim *claim(struct ahead *ahead, const struct stat *st, int state, bool *is_new)
{
    if (ahead->count * 2 >= ahead->capacity && grow(ahead) != 0)
        return NULL;
    struct claim *found = find_claim(ahead, st->st_dev, st->st_ino);
    *is_new = found->state == CLAIM_FREE;
    if (*is_new) {
        *found = (struct claim){.dev = st->st_dev,
                                .ino = st->st_ino,
                                .size = st->st_size,
                                .mtime = st->st_mtim,
                                .state = state};
        ahead->count++;
    }
    return found;
}

static void hash_ahead(struct ahead *ahead, int dirfd, const char *name, const struct stat *st,
                       char *block)
{
    uint8_t digest[SHA256_SIZE];
    bool is_new = false;

    pthread_mutex_lock(&ahead->lock);
    claim(ahead, st, CLAIM_AHEAD, &is_new);
    pthread_mutex_unlock(&ahead->lock);
    if (!is_new)
        return;
    int failed = commit_hash_data(dirfd, name, (uint64_t)st->st_size, block, digest);
    pthread_mutex_lock(&ahead->lock);
    struct claim *ours = find_claim(ahead, st->st_dev, st->st_ino);
    ours->state = failed != 0 ? CLAIM_COMMIT : CLAIM_DONE;
    memcpy(ours->digest, digest, failed != 0 ? 0 : sizeof(digest));
    pthread_cond_broadcast(&ahead->done);
    pthread_mutex_unlock(&ahead->lock);
}

static void walk_backwards(struct ahead *ahead, int fd, unsigned depth, char *block)
{
    TREE_NAMES on_disk = {NULL, 0};
    NAME_LIST names = {0};

    if (depth > DEPTH_MAX || tree_read_names(fd, &on_disk) != 0 ||
        commit_sort_names(&on_disk, &names) != 0)
        return;
    for (size_t i = names.count; i-- > 0 && !ahead->over;) {
        struct stat st;
        if (tree_stat_at(fd, names.names[i], &st) != 0)
            continue;
        if (S_ISREG(st.st_mode))
            hash_ahead(ahead, fd, names.names[i], &st, block);
        if (!S_ISDIR(st.st_mode))
            continue;
        TREE_CLOSE int below = openat(fd, names.names[i], TREE_DIRECTORY);
        if (below >= 0)
            walk_backwards(ahead, below, depth + 1, block);
    }
}

static void *work(void *argument)
{
    struct ahead *ahead = argument;
    TREE_FREE char *block = malloc(COMMIT_BLOCK);
    TREE_CLOSE int root = openat(ahead->rootfd, ".", TREE_DIRECTORY);

    if (block != NULL && root >= 0)
        walk_backwards(ahead, root, 0, block);
    return NULL;
}

struct ahead *ahead_start(int rootfd)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct ahead *ahead = calloc(1, sizeof(*ahead));

    if (ahead == NULL)
        return NULL;
    ahead->rootfd = rootfd;
    ahead->capacity = 1024;
    ahead->claims = calloc(ahead->capacity, sizeof(*ahead->claims));
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->done, NULL);
    while (ahead->claims != NULL && ahead->started < THREADS_MAX &&
           ahead->started + 1 < processors &&
           pthread_create(&ahead->threads[ahead->started], NULL, work, ahead) == 0)
        ahead->started++;
    if (ahead->started > 0)
        return ahead;
    ahead_end(ahead);
    return NULL;
}

bool ahead_take(struct ahead *ahead, const struct stat *st, uint8_t digest[SHA256_SIZE])
{
    bool is_new = false, known = false;

    pthread_mutex_lock(&ahead->lock);
    struct claim *found = claim(ahead, st, CLAIM_COMMIT, &is_new);
    while (found != NULL && found->state == CLAIM_AHEAD) {
        pthread_cond_wait(&ahead->done, &ahead->lock);
        found = find_claim(ahead, st->st_dev, st->st_ino);
    }
    if (found != NULL && found->state == CLAIM_DONE) {
        known = found->size == st->st_size && found->mtime.tv_sec == st->st_mtim.tv_sec &&
                found->mtime.tv_nsec == st->st_mtim.tv_nsec;
        memcpy(digest, found->digest, known ? SHA256_SIZE : 0);
    }
    pthread_mutex_unlock(&ahead->lock);
    return known;
}

void ahead_end(struct ahead *ahead)
{
    if (ahead == NULL)
        return;
    ahead->over = true;
    for (unsigned i = 0; i < ahead->started; i++)
        pthread_join(ahead->threads[i], NULL);
    pthread_mutex_destroy(&ahead->lock);
    pthread_cond_destroy(&ahead->done);
    free(ahead->claims);
    free(ahead);
}
