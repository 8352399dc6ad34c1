/* Images that the fuzzer made, each for a way through the reader that no other takes; damaged,
 * nearly all. The sanitizers are the test, and the clock. To fuzz on, see fuzz_squashfs.c. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>

#include "check.h"
#include "fuzz_squashfs.c"

#define CORPUS "c/tests/corpus/squashfs"
#define IMAGE_MAX (64 << 10)
#define SECONDS_MAX 60 /* for one; it takes milliseconds */

static void replay(int dir, const char *name)
{
    static uint8_t bytes[IMAGE_MAX];
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

    close(fd);
    if (!check(size > 0, "%s is there", name))
        return;
    alarm(SECONDS_MAX);
    LLVMFuzzerTestOneInput(bytes, (size_t)size);
    alarm(0);
}

int main(void)
{
    DIR *dir = opendir(CORPUS);
    struct dirent *entry;
    unsigned count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        replay(dirfd(dir), entry->d_name);
        count++;
    }
    if (dir != NULL)
        closedir(dir);
    check(count > 100, "%u images do no harm", count);
    return check_failures != 0;
}
