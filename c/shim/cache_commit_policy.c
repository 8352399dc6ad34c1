/* What of a tree a commit takes: some things no image has, and some modes no image can have. */
#include "cache_commit.h"

#include <stdio.h>
#include <string.h>

/* A line for the user, "p PATH"; what has no room is left out. */
static void notice(struct commit *commit, char kind)
{
    size_t length = commit->path.length + 3;

    if (length >= commit->notices_capacity - commit->notices_size)
        return;
    commit->notices_size += (size_t)snprintf(commit->notices + commit->notices_size, length + 1,
                                             "%c %s%c", kind, commit->path.text, '\n');
}

/* Modes without which the image could not be read again. */
static int fix_mode(struct commit *commit, int dirfd, const char *name, struct stat *st)
{
    mode_t wanted = st->st_mode | (S_ISDIR(st->st_mode) ? 0700 : 0400);

    if (S_ISLNK(st->st_mode) || wanted == st->st_mode)
        return 0;
    notice(commit, 'p');
    st->st_mode = wanted;
    return tree_chmod_at(dirfd, name, wanted & 07777);
}

static bool is_rpm_leftover(const char *path)
{
    return strncmp(path, "var/lib/rpm/__db.", strlen("var/lib/rpm/__db.")) == 0;
}

int commit_admit(struct commit *commit, int dirfd, const char *name, bool upper, struct stat *st)
{
    if (tree_stat_at(dirfd, name, st) != 0)
        return errno == ENOENT ? 0 : commit_fail(commit, "fstatat");
    if (S_ISREG(st->st_mode) && is_rpm_leftover(commit->path.text)) {
        notice(commit, 'r');
        return unlinkat(dirfd, name, 0) != 0 ? commit_fail(commit, "unlinkat") : 0;
    }
    if (S_ISSOCK(st->st_mode)) {
        notice(commit, 's');
        return unlinkat(dirfd, name, 0) != 0 ? commit_fail(commit, "unlinkat") : 0;
    }
    if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
        if (upper && st->st_rdev == 0)
            return 0; /* a whiteout */
        return CH_FAIL_WITH(commit->err, ENODEV, "store device", "%s", commit->path.text);
    }
    if (upper && S_ISREG(st->st_mode) && st->st_size == 0) {
        TREE_CLOSE int look = openat(dirfd, name, TREE_LOOK);
        if (look < 0)
            return commit_fail(commit, "openat");
        if (tree_is_whiteout(look, st))
            return 0;
    }
    if (fix_mode(commit, dirfd, name, st) != 0)
        return commit_fail(commit, "chmod");
    return 1;
}
