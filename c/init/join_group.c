/* See join_group.h. One descriptor a process: closing any of a file drops all its record locks. */
#define _GNU_SOURCE
#include "join_group.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "join_keeper.h"
#include "join_roster.h"
#include "message.h"

#define DIRECTORY "/dev/shm"
#define PREFIX "ch-run_shm-"
#define SECOND_PREFIX "sem.ch-run_sem-"

/* Record locks are on bytes, which need not be there. */
enum lock_byte { LOCK_GROUP = 0, LOCK_KEEPER = 1 };

static int open_directory(const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), high;

    if (fd < 0)
        FAIL_ERRNO("can't open: %s", path);
    high = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* above stdio, which the keeper replaces */
    if (high < 0)
        FAIL_ERRNO("can't open: %s", path);
    close(fd);
    return high;
}

void group_setup(struct group *group, const char *tag)
{
    *group = (struct group){.fd = -1, .own = -1};
    message_hint("peers find each other in " DIRECTORY ": it must be there and writable for all");
    group->directory = open_directory(DIRECTORY);
    message_hint(NULL);
    group->proc = open_directory("/proc");
    snprintf(group->name, sizeof(group->name), PREFIX "%s", tag);
    snprintf(group->second_name, sizeof(group->second_name), SECOND_PREFIX "%s", tag);
}

__attribute__((noreturn)) static void fail_foreign(const struct group *group)
{
    message_hint("it seems to be somebody else's: choose another tag, --join-tag=TAG");
    FAIL_ERRNO("can't open: " DIRECTORY "/%s", group->name);
}

bool group_open(struct group *group)
{
    int fd = openat(group->directory, group->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 && errno == ENOENT)
        return false;
    if (fd < 0)
        fail_foreign(group);
    group->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    if (group->fd < 0 || fstat(group->fd, &st) < 0)
        FAIL_ERRNO("can't open: " DIRECTORY "/%s", group->name);
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
        errno = EACCES;
        fail_foreign(group);
    }
    group->own = -1;
    return true;
}

void group_close(struct group *group)
{
    close(group->fd);
    group->fd = -1;
}

void group_end(struct group *group)
{
    group_close(group);
    close(group->directory);
    close(group->proc);
}

static int lock_byte(const struct group *group, int command, enum lock_byte byte, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int result = TEMP_FAILURE_RETRY(fcntl(group->fd, command, &lock));

    if (result < 0 && errno != EAGAIN && errno != EACCES)
        FAIL_ERRNO("failure waiting for join lock");
    return command == F_GETLK ? lock.l_type : result;
}

bool group_is_late(const struct timespec *deadline)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > deadline->tv_sec ||
           (now.tv_sec == deadline->tv_sec && now.tv_nsec >= deadline->tv_nsec);
}

/* By asking again and again: a lock that waits could only be given up by a signal, and all of those
 * are the command's. */
bool group_lock(const struct group *group, const struct timespec *deadline)
{
    struct timespec pause = {.tv_nsec = 250 * 1000};

    while (lock_byte(group, F_SETLK, LOCK_GROUP, F_WRLCK) < 0) {
        if (group_is_late(deadline))
            return false;
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < 8 * 1000 * 1000)
            pause.tv_nsec *= 2;
    }
    return true;
}

void group_lock_patiently(const struct group *group)
{
    lock_byte(group, F_SETLKW, LOCK_GROUP, F_WRLCK);
}

void group_unlock(const struct group *group)
{
    lock_byte(group, F_SETLK, LOCK_GROUP, F_UNLCK);
}

bool group_mark_kept(const struct group *group)
{
    return lock_byte(group, F_SETLK, LOCK_KEEPER, F_WRLCK) == 0;
}

bool group_is_kept(const struct group *group)
{
    return lock_byte(group, F_GETLK, LOCK_KEEPER, F_WRLCK) != F_UNLCK;
}

static bool has_name(const struct group *group, const char *name)
{
    struct stat here, there;

    if (fstat(group->fd, &here) < 0)
        FAIL_ERRNO("can't stat: " DIRECTORY "/%s", name);
    return fstatat(group->directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

bool group_is_current(const struct group *group)
{
    return has_name(group, group->name);
}

static void unlink_name(const struct group *group, const char *name, const char *what)
{
    if (has_name(group, name) && unlinkat(group->directory, name, 0) < 0 && errno != ENOENT)
        FAIL_ERRNO("can't unlink %s: " DIRECTORY "/%s", what, name);
}

/* The name that a new group begins with goes last: so the second is still this one's. */
void group_remove(const struct group *group)
{
    unlink_name(group, group->second_name, "sem");
    unlink_name(group, group->name, "shm");
}

/* Groups of ours that were killed to the last process, keeper included. */
static void remove_if_dead(const struct group *like, const char *tag)
{
    const struct timespec now = {0};
    struct group group = *like;
    struct roster roster;

    if (strlen(tag) + sizeof(SECOND_PREFIX) > sizeof(group.second_name))
        return;
    snprintf(group.name, sizeof(group.name), PREFIX "%s", tag);
    snprintf(group.second_name, sizeof(group.second_name), SECOND_PREFIX "%s", tag);
    group.fd = openat(group.directory, group.name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (group.fd < 0)
        return;
    if (group_lock(&group, &now) && !group_is_kept(&group) && roster_read(&group, &roster)) {
        if (!roster_lives(&group, &roster))
            group_remove(&group);
        roster_free(&roster);
    }
    close(group.fd);
}

static void sweep(const struct group *group)
{
    int fd = openat(group->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (list == NULL)
        return; /* may be unreadable for good reasons */
    while ((entry = readdir(list)) != NULL)
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 &&
            strcmp(entry->d_name, group->name) != 0)
            remove_if_dead(group, entry->d_name + strlen(PREFIX));
    closedir(list);
}

static void make_file(struct group *group, int count)
{
    int fd = openat(group->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    group->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (group->fd < 0 || fchmod(group->fd, 0600) < 0) {
        message_hint("peers find each other in " DIRECTORY ": it must be writable for all");
        FAIL_ERRNO("can't make: " DIRECTORY "/%s", group->name);
    }
    close(fd);
    roster_begin(group, count);
}

static bool link_name(const struct group *group, const char *name)
{
    char path[32];

    snprintf(path, sizeof(path), "self/fd/%d", group->fd);
    if (linkat(group->proc, path, group->directory, name, AT_SYMLINK_FOLLOW) == 0)
        return true;
    if (errno != EEXIST)
        FAIL_ERRNO("can't make: " DIRECTORY "/%s", name);
    return false;
}

/* The keeper comes first: whenever we are killed, it or nothing is there. */
bool group_create(struct group *group, int count)
{
    int starting;
    bool won;

    sweep(group);
    make_file(group, count);
    group_lock_patiently(group);
    starting = keeper_start(group);
    won = link_name(group, group->name);
    /* Whoever had the second name has lost the first. */
    while (won && !link_name(group, group->second_name))
        if (unlinkat(group->directory, group->second_name, 0) < 0 && errno != ENOENT)
            FAIL_ERRNO("can't unlink sem: " DIRECTORY "/%s", group->second_name);
    keeper_release(starting);
    if (!won)
        group_close(group);
    return won;
}
