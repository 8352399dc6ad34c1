/* Reading the files of states; cache.h has the format. They are checked: what is damaged is
 * EBADMSG. */
#include "cache.h"

#include <string.h>

/* More than any directory has; a damaged file may claim any size. */
#define LARGEST_LIST ((uint64_t)1 << 31)

int cache_open(struct cache *cache, int dirfd, struct ch_error *err)
{
    *cache = (struct cache){.objects = -1, .states = -1};
    cache->objects = openat(dirfd, "objects", TREE_DIRECTORY);
    if (cache->objects < 0)
        return CH_FAIL(err, "openat", "%s", "objects");
    cache->states = openat(dirfd, "states", TREE_DIRECTORY);
    if (cache->states < 0)
        return CH_FAIL(err, "openat", "%s", "states");
    return 0;
}

void cache_close(const struct cache *cache)
{
    for (uint32_t i = 0; i < cache->count; i++) {
        tree_close_fd(&cache->files[i].fd);
        free(cache->files[i].name);
        free(cache->files[i].others);
    }
    free(cache->files);
    tree_close_fd(&cache->objects);
    tree_close_fd(&cache->states);
}

static int damaged(const char *state, struct ch_error *err)
{
    return CH_FAIL_WITH(err, EBADMSG, "read cached state", "%s", state);
}

/* Number of a state's file; -1 if out of memory. */
static int64_t find_file(struct cache *cache, const char *name)
{
    for (uint32_t i = cache->count; i-- > 0;)
        if (strcmp(cache->files[i].name, name) == 0)
            return i;
    struct cache_file *grown =
        (cache->count & (cache->count - 1)) != 0
            ? cache->files
            : realloc(cache->files,
                      (cache->count == 0 ? 1 : cache->count * 2) * sizeof(*cache->files));
    if (grown == NULL)
        return -1;
    cache->files = grown;
    char *copy = strdup(name);
    if (copy == NULL)
        return -1;
    cache->files[cache->count] = (struct cache_file){.name = copy, .fd = -1};
    return cache->count++;
}

static int read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, (char *)buffer + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got == 0 ? EBADMSG : errno;
            return -1;
        }
        done += (size_t)got;
    }
    return 0;
}

/* What follows the directories: the root's entry and the names, as one block. */
struct file_end {
    struct cache_tree tree;
    char *block;
    size_t size;
};

static int read_end(int fd, uint64_t size, struct file_end *end)
{
    struct cache_trailer trailer;
    uint8_t digest[SHA256_SIZE];
    struct sha256 hash;
    uint64_t check;

    errno = EBADMSG;
    if (size < sizeof(trailer) || read_at(fd, &trailer, sizeof(trailer), size - sizeof(trailer)))
        return -1;
    errno = EBADMSG;
    if (trailer.magic != CACHE_MAGIC || trailer.tree > size ||
        size - trailer.tree < sizeof(end->tree) + sizeof(trailer))
        return -1;
    if (read_at(fd, &end->tree, sizeof(end->tree), trailer.tree) != 0)
        return -1;
    errno = EBADMSG;
    const struct cache_tree *tree = &end->tree;
    if (tree->root > trailer.tree || tree->root_length > trailer.tree - tree->root ||
        tree->names != tree->root + tree->root_length ||
        tree->names_length != trailer.tree - tree->names)
        return -1;
    end->size = trailer.tree - tree->root;
    end->block = malloc(end->size + 1);
    if (end->block == NULL || read_at(fd, end->block, end->size, tree->root) != 0)
        return -1;
    end->block[end->size] = '\0';

    sha256_begin(&hash);
    sha256_add(&hash, tree, sizeof(*tree));
    sha256_add(&hash, end->block, end->size);
    sha256_end(&hash, digest);
    memcpy(&check, digest, sizeof(check));
    errno = EBADMSG;
    return check == trailer.check ? 0 : -1;
}

/* The other files that file NUMBER refers to get numbers. */
static int note_others(struct cache *cache, uint32_t number, const char *names, size_t length)
{
    uint32_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += names[i] == '\0';
    uint32_t *others = malloc((count + 1) * sizeof(*others));
    if (others == NULL)
        return -1;
    for (uint32_t i = 0; i < count; i++, names += strlen(names) + 1) {
        int64_t other = find_file(cache, names);
        if (other < 0) {
            free(others);
            return -1;
        }
        others[i] = (uint32_t)other;
    }
    cache->files[number].others = others;
    cache->files[number].other_count = count;
    return 0;
}

static void free_end(const struct file_end *end)
{
    free(end->block);
}

/* Opens file NUMBER if it is not open; its end to END, which may be NULL. */
static int open_file(struct cache *cache, uint32_t number, struct file_end *end,
                     struct ch_error *err)
{
    const char *name = cache->files[number].name;
    __attribute__((cleanup(free_end))) struct file_end own = {.block = NULL};
    struct stat st;
    uint64_t magic;
    bool is_new = cache->files[number].fd < 0;

    if (!is_new && end == NULL)
        return 0;
    if (end == NULL)
        end = &own;
    if (is_new)
        cache->files[number].fd = tree_open_beneath(cache->states, name, O_RDONLY | O_CLOEXEC);
    int fd = cache->files[number].fd;
    if (fd < 0)
        return errno == ENOENT ? damaged(name, err) : CH_FAIL(err, "openat", "%s", name);
    if (tree_stat_at(fd, "", &st) != 0)
        return CH_FAIL(err, "fstatat", "%s", name);
    cache->files[number].size = (uint64_t)st.st_size;
    if (read_end(fd, (uint64_t)st.st_size, end) != 0 ||
        read_at(fd, &magic, sizeof(magic), 0) != 0 || magic != CACHE_MAGIC)
        return errno == EBADMSG ? damaged(name, err) : CH_FAIL(err, "read", "%s", name);
    if (is_new &&
        note_others(cache, number, end->block + end->tree.root_length, end->tree.names_length) != 0)
        return CH_FAIL(err, "malloc", "%s", name);
    return 0;
}

/* Is there a whole entry with a sound name in these SIZE bytes? */
static bool is_entry(const struct cache_entry *entry, size_t size, bool root)
{
    if (size < sizeof(*entry) || entry->length < sizeof(*entry) || entry->length > size ||
        (entry->length & 7) != 0)
        return false;
    uint64_t needed = sizeof(*entry) + (uint64_t)entry->name_length + 1 + entry->text_length + 1 +
                      entry->xattrs_length;
    const char *name = cache_name(entry);
    if (needed > entry->length || name[entry->name_length] != '\0' ||
        cache_text(entry)[entry->text_length] != '\0')
        return false;
    if (strlen(name) != entry->name_length || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0 || (entry->name_length == 0) != root)
        return false;
    return strlen(cache_text(entry)) == entry->text_length &&
           memchr("dflp", entry->type, 4) != NULL;
}

/* The file number of ENTRY as file NUMBER has it becomes one of the cache's. */
static bool translate(const struct cache *cache, uint32_t number, struct cache_entry *entry)
{
    const struct cache_file *file = &cache->files[number];

    if (entry->file > file->other_count)
        return false;
    entry->file = entry->file == 0 ? number : file->others[entry->file - 1];
    return true;
}

int cache_read_root(struct cache *cache, const char *state, struct cache_entry **root,
                    struct ch_error *err)
{
    __attribute__((cleanup(free_end))) struct file_end end = {.block = NULL};
    int64_t number = find_file(cache, state);

    *root = NULL;
    if (number < 0)
        return CH_FAIL(err, "malloc", "%s", state);
    int result = open_file(cache, (uint32_t)number, &end, err);
    if (result < 0)
        return result;
    struct cache_entry *entry = (void *)end.block;
    if (!is_entry(entry, end.tree.root_length, true) || entry->type != 'd' ||
        !translate(cache, (uint32_t)number, entry))
        return damaged(state, err);
    *root = entry;
    end.block = NULL;
    return 0;
}

static int check_list(const struct cache *cache, uint32_t number, const struct cache_list *list)
{
    size_t at = 0;
    uint64_t count = 0;
    const char *before = "";

    for (; at < list->size; count++) {
        struct cache_entry *entry = (void *)(list->data + at);
        if (!is_entry(entry, list->size - at, false) || strcmp(before, cache_name(entry)) >= 0 ||
            !translate(cache, number, entry))
            return -1;
        before = cache_name(entry);
        at += entry->length;
    }
    return count == list->count ? 0 : -1;
}

int cache_read_list(struct cache *cache, const struct cache_entry *entry, struct cache_list *out,
                    struct ch_error *err)
{
    struct cache_directory head;
    uint8_t digest[SHA256_SIZE];

    *out = (struct cache_list){0};
    int result = open_file(cache, entry->file, NULL, err);
    if (result < 0)
        return result;
    const struct cache_file *file = &cache->files[entry->file];
    if (entry->offset > file->size || read_at(file->fd, &head, sizeof(head), entry->offset) != 0 ||
        head.size > LARGEST_LIST || head.size > file->size)
        return damaged(file->name, err);
    *out = (struct cache_list){.data = malloc(head.size + 1),
                               .size = head.size,
                               .capacity = head.size,
                               .count = head.count};
    if (out->data == NULL)
        return CH_FAIL(err, "malloc", "%s", file->name);
    if (read_at(file->fd, out->data, head.size, entry->offset + sizeof(head)) != 0 ||
        check_list(cache, entry->file, out) != 0)
        return damaged(file->name, err);
    cache_hash_list(out, digest);
    return memcmp(digest, entry->digest, sizeof(digest)) == 0 ? 0 : damaged(file->name, err);
}
