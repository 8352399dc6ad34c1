/* Places in an image: links that try to lead out of it (c/init/place.c). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../init/place.h"

static int failures;

static void check(int root, const char *target, enum place_result expected, const char *path)
{
    struct place place;
    enum place_result result = place_find(root, "image", target, &place);
    int good = result == expected && (result != PLACE_FOUND || strcmp(place.path, path) == 0);

    printf("%s place_find() of %s\n", good ? "ok" : "not ok", target);
    if (!good) {
        printf("# got %d \"%s\", want %d \"%s\"\n", result, result == PLACE_FOUND ? place.path : "",
               expected, path);
        failures++;
    }
    if (result == PLACE_FOUND)
        place_close(&place);
}

static int make_tree(char *top)
{
    static const char *const links[][2] = {
        {"/a/b", "absolute"},
        {"a/b", "relative"},
        {"../../../etc", "climbing"},
        {"loop2", "loop1"},
        {"loop1", "loop2"},
        {"/proc/1/root", "magic"},
        {"nowhere", "broken"},
        {"/absolute/c", "chain"},
        {"a/../a/b/..", "dotted"},
        {"/../image/a", "comeback"},
        {"/", "root"},
    };
    int root;

    if (mkdtemp(top) == NULL || chdir(top) < 0 || mkdir("image", 0755) < 0 || chdir("image") < 0 ||
        mkdir("a", 0755) < 0 || mkdir("a/b", 0755) < 0 || mkdir("a/b/c", 0755) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (symlink(links[i][0], links[i][1]) < 0)
            return -1;
    root = open(".", O_PATH | O_CLOEXEC);
    return root;
}

int main(void)
{
    char top[] = "/tmp/place_test.XXXXXX";
    char deep[3 * PLACE_DEPTH + 1], command[64];
    int root = make_tree(top);

    if (root < 0) {
        perror("make_tree");
        return 1;
    }
    check(root, "/", PLACE_FOUND, "");
    check(root, "/a/b", PLACE_FOUND, "/a/b");
    check(root, "//a/./b/", PLACE_FOUND, "/a/b");
    check(root, "/a/b/../b", PLACE_FOUND, "/a/b");
    check(root, "/absolute", PLACE_FOUND, "/a/b");
    check(root, "/relative/c", PLACE_FOUND, "/a/b/c");
    check(root, "/chain", PLACE_FOUND, "/a/b/c");
    check(root, "/dotted", PLACE_FOUND, "/a");
    check(root, "/root/a", PLACE_FOUND, "/a");
    check(root, "/comeback", PLACE_FOUND, "/a");
    check(root, "/../image/a", PLACE_FOUND, "/a");
    check(root, "/..", PLACE_OUTSIDE, "");
    check(root, "/../imagine/a", PLACE_OUTSIDE, "");
    check(root, "/a/../..", PLACE_OUTSIDE, "");
    check(root, "/climbing", PLACE_OUTSIDE, "");
    check(root, "/magic", PLACE_MISSING, "");
    check(root, "/broken", PLACE_MISSING, "");
    check(root, "/a/x", PLACE_MISSING, "");
    check(root, "/loop1", PLACE_ERROR, "");
    deep[0] = '\0';
    for (int i = 0; i < PLACE_DEPTH; i++)
        strcat(deep, "/a");
    check(root, deep, PLACE_MISSING, "");

    snprintf(command, sizeof(command), "rm -rf %s", top);
    return system(command) != 0 || failures != 0;
}
