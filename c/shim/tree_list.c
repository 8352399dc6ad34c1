/* Reading directories. */
#include "tree.h"

#include <dirent.h>
#include <string.h>
#include <sys/syscall.h>

struct kernel_dirent {
    uint64_t ino;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

/* At once and to the end, so that the directory may be changed while its names are gone through.
 * Through the system call: DIR would cost an allocation and a descriptor of its own. */
int tree_read_names(int dirfd, struct tree_names *out)
{
    size_t capacity = 0;

    *out = (struct tree_names){NULL, 0};
    if (lseek(dirfd, 0, SEEK_SET) < 0)
        return -1;
    for (;;) {
        if (capacity - out->size < 32768) {
            capacity = capacity == 0 ? 32768 : capacity * 2;
            char *grown = realloc(out->block, capacity);
            if (grown == NULL)
                return -1;
            out->block = grown;
        }
        long got = syscall(SYS_getdents64, dirfd, out->block + out->size, capacity - out->size);
        if (got < 0)
            return -1;
        if (got == 0)
            return 0;
        out->size += (size_t)got;
    }
}

bool tree_next_name(const struct tree_names *names, size_t *at, struct tree_name *out)
{
    while (*at < names->size) {
        const struct kernel_dirent *entry = (const void *)(names->block + *at);
        *at += entry->size;
        if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
            continue;
        *out = (struct tree_name){entry->name, entry->type};
        return true;
    }
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static uint32_t record_size(const char *name)
{
    return (uint32_t)((sizeof(struct ch_list_entry) + strlen(name) + 1 + 7) & ~(size_t)7);
}

int32_t ch_tree_list(int32_t dirfd, void *buffer, uint32_t capacity, struct ch_filled *filled,
                     struct ch_error *err)
{
    TREE_NAMES names;
    struct tree_name name;
    size_t count = 0;

    *filled = (struct ch_filled){0, 0};
    if (tree_read_names(dirfd, &names) != 0)
        return CH_FAIL(err, "getdents64", "%s", "");
    for (size_t at = 0; tree_next_name(&names, &at, &name); count++)
        filled->needed += record_size(name.name);
    if (filled->needed > capacity || count == 0)
        return 0;

    TREE_FREE const char **sorted = malloc(count * sizeof(*sorted));
    if (sorted == NULL)
        return CH_FAIL(err, "malloc", "%s", "");
    count = 0;
    for (size_t at = 0; tree_next_name(&names, &at, &name);)
        sorted[count++] = name.name;
    qsort(sorted, count, sizeof(*sorted), compare_names);

    char *record = buffer;
    for (size_t i = 0; i < count; i++) {
        struct ch_list_entry *entry = (void *)record;
        struct stat st;

        if (tree_stat_at(dirfd, sorted[i], &st) != 0) {
            if (errno == ENOENT) /* vanished meanwhile */
                continue;
            return CH_FAIL(err, "fstatat", "%s", sorted[i]);
        }
        tree_fill_stat(&st, &entry->stat);
        entry->record_size = record_size(sorted[i]);
        entry->name_size = (uint32_t)strlen(sorted[i]);
        memcpy(record + sizeof(*entry), sorted[i], entry->name_size + 1);
        record += entry->record_size;
        filled->count++;
    }
    return 0;
}
