/* See cache_checkout.h. Threads are started when directories wait, so that few cost none. */
#include "cache_checkout.h"

#include <fcntl.h>
#include <string.h>

/* More than most machines have cores: on file systems of the network each waits for the server. */
#define THREADS_MAX 8
/* Directories that wait; each is a descriptor. */
#define WAITING_MAX 32
/* Handing fewer over takes as long as making them. */
#define ENTRIES_MIN 12
#define STACK_SIZE (512u << 10)

struct task {
    char *path;
    int fd;
    struct cache_list list;
    struct cache_entry *entry;
};

struct crew {
    struct checkout model; /* what all threads begin with */
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct task waiting[WAITING_MAX];
    unsigned first, count, idle;
    bool over;
    int result; /* of the first failure */
    struct ch_error err;
    struct ch_tree_counts counts;
    pthread_t threads[THREADS_MAX];
    unsigned started;
};

static void free_task(const struct task *task)
{
    free(task->path);
    free(task->entry);
    cache_free_list(&task->list);
    close(task->fd);
}

static int do_task(struct checkout *out, const struct task *task)
{
    tree_path_cut(&out->path, 0);
    if (tree_path_push(&out->path, task->path) == (size_t)-1)
        return checkout_fail(out, "malloc");
    return checkout_complete(out, task->fd, &task->list, task->entry);
}

static void add_counts(struct ch_tree_counts *to, const struct ch_tree_counts *more)
{
    to->directories += more->directories;
    to->files += more->files;
    to->links += more->links;
    to->others += more->others;
    to->removed += more->removed;
}

/* The lock is held when it is called and when it returns. */
static void do_next(struct crew *crew, struct checkout *out)
{
    struct task task = crew->waiting[crew->first];
    bool wanted = crew->result == 0;

    crew->first = (crew->first + 1) % WAITING_MAX;
    crew->count--;
    pthread_mutex_unlock(&crew->lock);
    int result = wanted ? do_task(out, &task) : 0;
    free_task(&task);
    pthread_mutex_lock(&crew->lock);
    if (result < 0 && crew->result == 0) {
        crew->result = result;
        crew->err = *out->err;
    }
}

static void *work(void *argument)
{
    struct crew *crew = argument;
    struct ch_tree_counts counts = {0};
    struct ch_error err;
    struct checkout out = crew->model;

    out.counts = &counts;
    out.err = &err;
    pthread_mutex_lock(&crew->lock);
    for (;;) {
        if (crew->count > 0) {
            do_next(crew, &out);
            continue;
        }
        if (crew->over)
            break;
        crew->idle++;
        pthread_cond_wait(&crew->work, &crew->lock);
        crew->idle--;
    }
    add_counts(&crew->counts, &counts);
    pthread_mutex_unlock(&crew->lock);
    tree_free_path(&out.path);
    return NULL;
}

struct crew *crew_new(const struct checkout *out)
{
    struct crew *crew = calloc(1, sizeof(*crew));

    if (crew == NULL)
        return NULL;
    crew->model = *out;
    crew->model.path = (struct tree_path){0};
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->work, NULL);
    return crew;
}

/* Where no more threads are allowed, fewer do as well. */
static void start_thread(struct crew *crew)
{
    pthread_attr_t attributes;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (pthread_create(&crew->threads[crew->started], &attributes, work, crew) == 0)
        crew->started++;
    pthread_attr_destroy(&attributes);
}

bool crew_give(struct crew *crew, const char *path, int fd, struct cache_list *list,
               const struct cache_entry *entry)
{
    if (crew == NULL || list->count < ENTRIES_MIN)
        return false;
    pthread_mutex_lock(&crew->lock);
    if (crew->idle == 0 && crew->started < THREADS_MAX)
        start_thread(crew);
    bool taken = crew->count < WAITING_MAX && crew->started > 0;
    if (taken) {
        struct task task = {strdup(path), fd, *list, malloc(entry->length)};
        taken = task.path != NULL && task.entry != NULL;
        if (taken) {
            memcpy(task.entry, entry, entry->length);
            crew->waiting[(crew->first + crew->count++) % WAITING_MAX] = task;
            *list = (struct cache_list){0};
        } else {
            free(task.path);
            free(task.entry);
        }
    }
    if (taken && crew->idle > 0)
        pthread_cond_signal(&crew->work);
    pthread_mutex_unlock(&crew->lock);
    return taken;
}

int crew_end(struct crew *crew, const struct checkout *out, int result)
{
    if (crew == NULL)
        return result;
    pthread_mutex_lock(&crew->lock);
    crew->over = true;
    if (result < 0 && crew->result == 0) {
        crew->result = result;
        crew->err = *out->err;
    }
    pthread_cond_broadcast(&crew->work);
    pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i < crew->started; i++)
        pthread_join(crew->threads[i], NULL);
    add_counts(out->counts, &crew->counts);
    result = crew->result;
    if (result < 0)
        *out->err = crew->err;
    pthread_mutex_destroy(&crew->lock);
    pthread_cond_destroy(&crew->work);
    free(crew);
    return result;
}
