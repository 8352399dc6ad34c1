/* Removing objects that no state needs. A state's file names what it does not share with those of
 * earlier states, so each directory is looked at once, in the file that it is in. */
#include "cache.h"

#include <dirent.h>
#include <string.h>

#include "key_map.h"

struct sweep {
    struct cache cache;
    struct key_map needed;
    struct tree_path path;
    struct ch_cache_sweep_result *result;
    struct ch_error *err;
};

static void free_sweep(const struct sweep *sweep)
{
    cache_close(&sweep->cache);
    key_map_free(&sweep->needed);
    tree_free_path(&sweep->path);
}

static int mark_directory(struct sweep *sweep, const struct cache_entry *directory, uint32_t file);

static int mark_entry(struct sweep *sweep, const struct cache_entry *entry, uint32_t file)
{
    uint8_t key[CACHE_KEY];

    if (entry->type == 'd')
        return mark_directory(sweep, entry, file);
    if (entry->type != 'f')
        return 0;
    cache_hash_object(entry, cache_first_path(entry, sweep->path.text), key);
    return key_map_add(&sweep->needed, key, NULL) != 0
               ? CH_FAIL(sweep->err, "malloc", "%s", sweep->path.text)
               : 0;
}

/* Directories in other files are those files' business. */
static int mark_directory(struct sweep *sweep, const struct cache_entry *directory, uint32_t file)
{
    CACHE_LIST list = {0};
    const struct cache_entry *entry;

    if (directory->file != file)
        return 0;
    int result = cache_read_list(&sweep->cache, directory, &list, sweep->err);
    for (size_t at = 0; result == 0 && (entry = cache_next(&list, &at)) != NULL;) {
        size_t before = tree_path_push(&sweep->path, cache_name(entry));
        if (before == (size_t)-1)
            return CH_FAIL(sweep->err, "malloc", "%s", cache_name(entry));
        result = mark_entry(sweep, entry, file);
        tree_path_cut(&sweep->path, before);
    }
    return result;
}

static int mark_state(struct sweep *sweep, const char *state)
{
    TREE_FREE struct cache_entry *root = NULL;

    int result = cache_read_root(&sweep->cache, state, &root, sweep->err);
    return result < 0 ? result : mark_directory(sweep, root, root->file);
}

/* The key that an object's name below DIRECTORY says; false if it is no object. */
static bool parse_key(const char *directory, const char *name, uint8_t key[CACHE_KEY])
{
    char hex[2 * CACHE_KEY + 1];

    if (strlen(directory) != 2 || strlen(name) != 2 * CACHE_KEY - 2)
        return false;
    memcpy(hex, directory, 2);
    memcpy(hex + 2, name, 2 * CACHE_KEY - 1);
    for (int i = 0; i < 2 * CACHE_KEY; i++) {
        const char *digits = "0123456789abcdef", *found = strchr(digits, hex[i]);
        if (found == NULL)
            return false;
        unsigned value = (unsigned)(found - digits);
        key[i / 2] = (uint8_t)((i & 1) == 0 ? value << 4 : key[i / 2] | value);
    }
    return true;
}

/* How large the needed objects are, of those that there are. */
static int measure_needed(const struct sweep *sweep)
{
    for (size_t i = 0; i < sweep->needed.capacity; i++) {
        char object[CACHE_OBJECT_NAME];
        struct stat st;

        if (!sweep->needed.slots[i].used)
            continue;
        cache_name_key(sweep->needed.slots[i].key, object);
        if (tree_stat_at(sweep->cache.objects, object, &st) != 0)
            continue;
        sweep->result->kept++;
        sweep->result->kept_bytes += (uint64_t)st.st_blocks * 512;
    }
    return 0;
}

static int sweep_directory(struct sweep *sweep, int objects, const char *directory)
{
    TREE_CLOSE int fd = openat(objects, directory, TREE_DIRECTORY);
    uint8_t key[CACHE_KEY];
    TREE_NAMES names = {NULL, 0};
    struct tree_name name;
    struct stat st;

    if (fd < 0 || tree_read_names(fd, &names) != 0)
        return CH_FAIL(sweep->err, "openat", "objects/%s", directory);
    for (size_t at = 0; tree_next_name(&names, &at, &name);) {
        if (parse_key(directory, name.name, key) && key_map_find(&sweep->needed, key) != NULL) {
            sweep->result->kept++;
            continue;
        }
        /* What images share with it stays on disk. */
        bool last = tree_stat_at(fd, name.name, &st) == 0 && st.st_nlink == 1;
        if (unlinkat(fd, name.name, 0) != 0 && errno != ENOENT)
            return CH_FAIL(sweep->err, "unlinkat", "objects/%s/%s", directory, name.name);
        sweep->result->removed++;
        sweep->result->freed += last ? (uint64_t)st.st_blocks * 512 : 0;
    }
    unlinkat(objects, directory, AT_REMOVEDIR); /* if it is empty now */
    return 0;
}

int32_t ch_cache_sweep(int32_t cachefd, const char *states, uint32_t count, uint32_t measure,
                       struct ch_cache_sweep_result *out, struct ch_error *err)
{
    __attribute__((cleanup(free_sweep))) struct sweep sweep = {
        .cache = {.objects = -1, .states = -1},
        .result = out,
        .err = err,
    };
    TREE_NAMES names = {NULL, 0};
    struct tree_name name;

    *out = (struct ch_cache_sweep_result){0};
    if (tree_path_push(&sweep.path, "") == (size_t)-1)
        return CH_FAIL(err, "malloc", "%s", "");
    for (uint32_t i = 0; i < count; i++, states += strlen(states) + 1) {
        /* One after another: the files of thousands cannot all be open. */
        cache_close(&sweep.cache);
        int result = cache_open(&sweep.cache, cachefd, err);
        if (result == 0)
            result = mark_state(&sweep, states);
        if (result < 0)
            return result;
    }
    if (measure)
        return measure_needed(&sweep);
    TREE_CLOSE int objects = openat(cachefd, "objects", TREE_DIRECTORY);
    if (objects < 0 || tree_read_names(objects, &names) != 0)
        return CH_FAIL(err, "openat", "%s", "objects");
    for (size_t at = 0; tree_next_name(&names, &at, &name);) {
        int result = sweep_directory(&sweep, objects, name.name);
        if (result < 0)
            return result;
    }
    return 0;
}

struct measure {
    struct ch_cache_size *out;
    struct tree_path path;
    struct ch_error *err;
};

static void free_measure(const struct measure *measure)
{
    tree_free_path(&measure->path);
}

static int measure_directory(struct measure *measure, int fd)
{
    TREE_NAMES names = {NULL, 0};
    struct tree_name name;
    struct stat st;

    if (tree_read_names(fd, &names) != 0)
        return CH_FAIL(measure->err, "getdents64", "%s", measure->path.text);
    for (size_t at = 0; tree_next_name(&names, &at, &name);) {
        if (tree_stat_at(fd, name.name, &st) != 0)
            continue; /* somebody removed it */
        if (S_ISREG(st.st_mode) && strncmp(measure->path.text, "spare/", 6) == 0)
            continue; /* a link to what is counted as an object */
        size_t before = tree_path_push(&measure->path, name.name);
        if (before == (size_t)-1)
            return CH_FAIL(measure->err, "malloc", "%s", name.name);
        measure->out->files++;
        measure->out->bytes += (uint64_t)st.st_blocks * 512;
        if (S_ISREG(st.st_mode) && strncmp(measure->path.text, "objects/", 8) == 0) {
            measure->out->objects++;
            measure->out->object_bytes += (uint64_t)st.st_size;
        }
        if (S_ISDIR(st.st_mode)) {
            TREE_CLOSE int below = openat(fd, name.name, TREE_DIRECTORY);
            int result = below < 0 ? 0 : measure_directory(measure, below);
            if (result < 0)
                return result;
        }
        tree_path_cut(&measure->path, before);
    }
    return 0;
}

int32_t ch_cache_measure(int32_t cachefd, struct ch_cache_size *out, struct ch_error *err)
{
    __attribute__((cleanup(free_measure))) struct measure measure = {.out = out, .err = err};

    *out = (struct ch_cache_size){0};
    if (tree_path_push(&measure.path, "") == (size_t)-1)
        return CH_FAIL(err, "malloc", "%s", "");
    return measure_directory(&measure, cachefd);
}
