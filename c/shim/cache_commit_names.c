/* Which names of a directory a commit looks at: all that there are, or those on certain paths. */
#include "cache_commit.h"

#include <string.h>

void commit_free_names(const struct name_list *list)
{
    for (size_t i = 0; list->owned && i < list->count; i++)
        free((char *)list->names[i]);
    free(list->names);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int commit_sort_names(const struct tree_names *names, struct name_list *out)
{
    struct tree_name name;
    size_t count = 0;

    *out = (struct name_list){0};
    for (size_t at = 0; tree_next_name(names, &at, &name);)
        count++;
    out->names = malloc((count + 1) * sizeof(*out->names));
    if (out->names == NULL)
        return -1;
    for (size_t at = 0; tree_next_name(names, &at, &name);)
        out->names[out->count++] = name.name;
    qsort(out->names, out->count, sizeof(*out->names), compare_names);
    return 0;
}

/* The part of PATH behind the directory that COMMIT is at; NULL if it is not below. */
static const char *path_below(const struct commit *commit, const char *path)
{
    size_t length = commit->path.length;

    if (length == 0)
        return path;
    return strncmp(path, commit->path.text, length) == 0 && path[length] == '/' ? path + length + 1
                                                                                : NULL;
}

int commit_names_on_paths(const struct commit *commit, const char *const *paths,
                          struct name_list *out)
{
    size_t count = 0;

    while (paths[count] != NULL)
        count++;
    *out = (struct name_list){.names = calloc(count + 1, sizeof(*out->names)), .owned = true};
    if (out->names == NULL)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const char *below = path_below(commit, paths[i]);
        if (below == NULL)
            continue;
        out->names[out->count] = strndup(below, strcspn(below, "/"));
        if (out->names[out->count++] == NULL)
            return -1;
    }
    qsort(out->names, out->count, sizeof(*out->names), compare_names);
    return 0;
}

bool commit_is_end(const struct commit *commit, const char *const *paths)
{
    for (; paths != NULL && *paths != NULL; paths++)
        if (strcmp(*paths, commit->path.text) == 0)
            return true;
    return false;
}
