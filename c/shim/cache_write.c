/* Writing the file of a state; cache.h has the format. */
#include "cache.h"

#include <string.h>

#define BUFFER ((size_t)1 << 18)

int cache_begin_file(struct cache_writer *writer, struct cache *cache, int dirfd, const char *name,
                     struct ch_error *err)
{
    uint64_t magic = CACHE_MAGIC;

    *writer = (struct cache_writer){.fd = -1, .cache = cache, .buffer = malloc(BUFFER)};
    if (writer->buffer == NULL)
        return CH_FAIL(err, "malloc", "%s", name);
    writer->fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (writer->fd < 0)
        return CH_FAIL(err, "openat", "%s", name);
    memcpy(writer->buffer, &magic, sizeof(magic));
    writer->used = writer->offset = sizeof(magic);
    return 0;
}

void cache_free_writer(const struct cache_writer *writer)
{
    tree_close_fd(&writer->fd);
    free(writer->buffer);
    free(writer->others);
}

static int write_out(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return -1;
        data += put;
        size -= (size_t)put;
    }
    return 0;
}

static int flush(struct cache_writer *writer)
{
    int result = write_out(writer->fd, writer->buffer, writer->used);

    writer->used = 0;
    return result;
}

static int put(struct cache_writer *writer, const void *data, size_t size)
{
    if (size == 0) /* and DATA may be NULL: an empty directory */
        return 0;
    if (size > BUFFER - writer->used && flush(writer) != 0)
        return -1;
    writer->offset += size;
    if (size > BUFFER)
        return write_out(writer->fd, data, size);
    memcpy(writer->buffer + writer->used, data, size);
    writer->used += size;
    return 0;
}

/* The number that the new file gives to the file that the cache has as NUMBER. */
static int64_t refer(struct cache_writer *writer, uint32_t number)
{
    if (number == CACHE_HERE)
        return 0;
    for (uint32_t i = writer->other_count; i-- > 0;)
        if (writer->others[i] == number)
            return i + 1;
    uint32_t *grown = realloc(writer->others, (writer->other_count + 1) * sizeof(*writer->others));
    if (grown == NULL)
        return -1;
    writer->others = grown;
    writer->others[writer->other_count++] = number;
    return writer->other_count;
}

static int refer_from(struct cache_writer *writer, struct cache_entry *entry)
{
    int64_t number = entry->type == 'd' ? refer(writer, entry->file) : 0;

    entry->file = (uint32_t)number;
    return number < 0 ? -1 : 0;
}

int cache_write_list(struct cache_writer *writer, struct cache_list *list, uint64_t *offset,
                     struct ch_error *err)
{
    struct cache_directory head = {.size = list->size, .count = list->count};

    for (size_t at = 0; at < list->size;) {
        struct cache_entry *entry = (void *)(list->data + at);
        if (refer_from(writer, entry) != 0)
            return CH_FAIL(err, "malloc", "%s", cache_name(entry));
        at += entry->length;
    }
    *offset = writer->offset;
    if (put(writer, &head, sizeof(head)) != 0 || put(writer, list->data, list->size) != 0)
        return CH_FAIL(err, "write", "%s", "state");
    return 0;
}

int cache_end_file(struct cache_writer *writer, struct cache_entry *root,
                   struct cache_trailer *trailer, uint64_t *size, struct ch_error *err)
{
    struct cache_tree tree = {.root = writer->offset, .root_length = root->length};
    uint8_t digest[SHA256_SIZE];
    struct sha256 hash, names;

    if (refer_from(writer, root) != 0)
        return CH_FAIL(err, "malloc", "%s", "state");
    if (put(writer, root, root->length) != 0)
        return CH_FAIL(err, "write", "%s", "state");
    tree.names = writer->offset;
    for (uint32_t i = 0; i < writer->other_count; i++) {
        const char *name = writer->cache->files[writer->others[i]].name;
        if (put(writer, name, strlen(name) + 1) != 0)
            return CH_FAIL(err, "write", "%s", "state");
    }
    tree.names_length = writer->offset - tree.names;
    *trailer = (struct cache_trailer){.tree = writer->offset, .magic = CACHE_MAGIC};
    if (put(writer, &tree, sizeof(tree)) != 0 || flush(writer) != 0)
        return CH_FAIL(err, "write", "%s", "state");
    *size = writer->offset;

    sha256_begin(&hash);
    sha256_add(&hash, &tree, sizeof(tree));
    sha256_add(&hash, root, root->length);
    names = hash;
    for (uint32_t i = 0; i < writer->other_count; i++) {
        const char *name = writer->cache->files[writer->others[i]].name;
        sha256_add(&names, name, strlen(name) + 1);
    }
    sha256_end(&names, digest);
    memcpy(&trailer->check, digest, sizeof(trailer->check));
    return 0;
}
