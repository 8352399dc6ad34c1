/* See mount_id.h. By /proc: STATX_MNT_ID is younger than the kernels we support. */
#define _GNU_SOURCE
#include "mount_id.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mount_id_of(int fd)
{
    char path[64], line[256];
    int id = -1;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    file = fopen(path, "re");
    if (file == NULL)
        return -1;
    while (id < 0 && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "mnt_id: %d", &id) != 1)
            id = -1;
    fclose(file);
    return id;
}

/* The fifth word of a line, in place. */
static const char *mount_point(char *line)
{
    char *save = NULL, *word = strtok_r(line, " ", &save);

    for (int i = 0; i < 4 && word != NULL; i++)
        word = strtok_r(NULL, " ", &save);
    return word == NULL ? "" : word;
}

int mount_id_list(const char *path, void (*note)(void *argument, int id), void *argument)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    size_t length = strlen(path), capacity = 0;
    char *line = NULL;

    if (file == NULL)
        return -1;
    while (getline(&line, &capacity, file) >= 0) {
        int id = atoi(line);
        const char *at = mount_point(line);
        if (strncmp(at, path, length) == 0 && (at[length] == '/' || at[length] == '\0'))
            note(argument, id);
    }
    free(line);
    fclose(file);
    return 0;
}
