/* The host's users and groups for a static program, which cannot load the modules of the C
 * library's name service: from the files if that is where the service looks first and they have the
 * entry, else by asking getent(1), which is there wherever there are such modules. Without it the
 * files are all there is. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../ch.h"

#define LINE_MAX_LENGTH 16384

struct database {
    const char *name; /* in nsswitch.conf(5), and for getent */
    const char *file; /* lines of fields, separated by colons; the third is the ID */
    int fields[3];    /* wanted, in order; -1 = no more */
};

static const struct database users = {"passwd", "/etc/passwd", {0, 4, 5}};
static const struct database groups = {"group", "/etc/group", {0, -1, -1}};

/* Whether the service looks into the files before it asks anybody else. */
static bool looks_into_files_first(const struct database *database)
{
    FILE *file = fopen("/etc/nsswitch.conf", "re");
    char line[1024], key[32], first[64];
    bool result = true;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, " %31[^: \t] : %63s", key, first) == 2 && strcmp(key, database->name) == 0)
            result = strcmp(first, "files") == 0 || strcmp(first, "compat") == 0;
    if (file != NULL)
        fclose(file);
    return result;
}

/* Start and length of field INDEX of LINE; NULL if it has fewer. */
static const char *find_field(const char *line, int index, size_t *length)
{
    for (; index > 0; index--) {
        line = strchr(line, ':');
        if (line == NULL)
            return NULL;
        line++;
    }
    *length = strcspn(line, ":\n");
    return line;
}

static bool has_id(const char *line, uint32_t id)
{
    size_t length;
    const char *field = find_field(line, 2, &length);
    char *end;

    if (field == NULL || length == 0 || field[0] < '0' || field[0] > '9')
        return false;
    return strtoul(field, &end, 10) == id && end == field + length;
}

/* The wanted fields of the first line of FILE that has ID, as consecutive strings. Their length, 0
 * if there is no such line, or -ERANGE. */
static int32_t find_in(FILE *file, const struct database *database, uint32_t id, char *out,
                       uint32_t cap, struct ch_error *err)
{
    static char line[LINE_MAX_LENGTH];
    uint32_t at = 0;

    while (fgets(line, sizeof(line), file) != NULL) {
        if (!has_id(line, id))
            continue;
        for (int i = 0; i < 3 && database->fields[i] >= 0; i++) {
            size_t length = 0;
            const char *field = find_field(line, database->fields[i], &length);
            if (at + length + 1 > cap)
                return CH_FAIL_WITH(err, ERANGE, "getpwuid(3)", "%s", "");
            if (length > 0)
                memcpy(out + at, field, length);
            at += (uint32_t)length;
            out[at++] = '\0';
        }
        return (int32_t)at;
    }
    return 0;
}

/* What getent says; -ENOENT if it cannot be asked. */
static int32_t ask_getent(const struct database *database, uint32_t id, char *out, uint32_t cap,
                          struct ch_error *err)
{
    char number[16];
    char *argv[] = {(char *)"getent", (char *)database->name, number, NULL};
    posix_spawn_file_actions_t actions;
    int32_t result = -ENOENT;
    int ends[2], status, failed;
    pid_t pid;
    FILE *file;

    snprintf(number, sizeof(number), "%u", id);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -ENOENT;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    failed = posix_spawn(&pid, "/usr/bin/getent", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    file = failed == 0 ? fdopen(ends[0], "re") : NULL;
    if (file != NULL) {
        result = find_in(file, database, id, out, cap, err);
        while (getc(file) != EOF)
            ;
        fclose(file);
    } else {
        close(ends[0]);
    }
    if (failed == 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    return result;
}

static int32_t find(const struct database *database, uint32_t id, char *out, uint32_t cap,
                    struct ch_error *err)
{
    FILE *file = fopen(database->file, "re");
    int32_t in_files = 0, result;

    if (file != NULL) {
        in_files = find_in(file, database, id, out, cap, err);
        fclose(file);
    }
    if (in_files < 0 || (in_files > 0 && looks_into_files_first(database)))
        return in_files;
    result = ask_getent(database, id, out, cap, err);
    return result == -ENOENT ? in_files : result;
}

int32_t ch_process_find_user(uint32_t uid, char *out, uint32_t cap, struct ch_error *err)
{
    return find(&users, uid, out, cap, err);
}

int32_t ch_process_find_group(uint32_t gid, char *out, uint32_t cap, struct ch_error *err)
{
    return find(&groups, gid, out, cap, err);
}
