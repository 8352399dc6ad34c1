/* What the runtime does not let its users say of its connections. */
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "../ch.h"

int32_t ch_socket_hurry(struct ch_error *err)
{
    DIR *descriptors = opendir("/proc/self/fd");
    int32_t changed = 0;

    if (descriptors == NULL)
        return CH_FAIL(err, "opendir", "%s", "/proc/self/fd");
    for (struct dirent *e; (e = readdir(descriptors)) != NULL;) {
        int fd = atoi(e->d_name); /* of "." and "..": 0, which is no connection of ours */
        int is_on = 0;
        socklen_t size = sizeof(is_on);
        /* Anything else than TCP has no such option. */
        if (fd == 0 || getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &is_on, &size) != 0 || is_on)
            continue;
        is_on = 1;
        if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &is_on, sizeof(is_on)) == 0)
            changed++;
    }
    closedir(descriptors);
    return changed;
}
