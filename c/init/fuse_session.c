/* See fuse_session.h. Threads share one queue, the kernel's: each reads a request, answers it,
 * reads the next. */
#define _GNU_SOURCE
#include "fuse_session.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define STACK_SIZE (256 << 10)
#define PUSHERS_MAX 4

/* False: the connection is gone. */
static bool read_request(const struct fuse_session *session, char *input, size_t *size)
{
    for (;;) {
        ssize_t n = read(session->fd, input, FUSE_INPUT_SIZE);
        if (n >= (ssize_t)sizeof(struct fuse_in_header)) {
            *size = (size_t)n;
            return true;
        }
        /* ENOENT: the caller was killed while we were reading. ENODEV: unmounted. */
        if (n >= 0 || (errno != EINTR && errno != EAGAIN && errno != ENOENT))
            return false;
    }
}

static void *work(void *argument)
{
    struct fuse_session *session = argument;
    char *input = malloc(FUSE_INPUT_SIZE), *output = malloc(FUSE_OUTPUT_SIZE);
    struct fuse_request request = {.session = session, .output = output};
    size_t size;

    if (input == NULL || output == NULL)
        return NULL;
    request.header = (const struct fuse_in_header *)input;
    request.body = input + sizeof(*request.header);
    while (read_request(session, input, &size)) {
        request.size = size - sizeof(*request.header);
        fuse_answer(&request);
    }
    /* Nobody is left to wait for an answer of the other threads. */
    _exit(0);
}

void fuse_session_run(struct sq *image, int fd, unsigned threads)
{
    struct fuse_session session = {.image = image, .fd = fd, .root = sq_info(image)->root};
    pthread_attr_t attributes;

    session.push = fuse_push_start(&session, threads > PUSHERS_MAX * 2 ? PUSHERS_MAX : threads / 2);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* Where no more threads are allowed, fewer do as well. */
    for (unsigned i = 1; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, work, &session) != 0)
            break;
    }
    work(&session);
}

void fuse_reply_parts(const struct fuse_request *request, struct iovec *parts, int count)
{
    struct fuse_out_header header = {.unique = request->header->unique, .len = sizeof(header)};

    for (int i = 1; i < count; i++)
        header.len += (uint32_t)parts[i].iov_len;
    parts[0] = (struct iovec){&header, sizeof(header)};
    /* The one error to expect, ENOENT, tells that the caller was killed meanwhile. */
    while (writev(request->session->fd, parts, count) < 0 && errno == EINTR)
        ;
}

void fuse_reply(const struct fuse_request *request, const void *data, size_t size)
{
    struct iovec parts[2] = {{NULL, 0}, {(void *)(uintptr_t)data, size}};
    fuse_reply_parts(request, parts, 2);
}

void fuse_reply_error(const struct fuse_request *request, int errnum)
{
    struct fuse_out_header header = {sizeof(header), -errnum, request->header->unique};

    while (write(request->session->fd, &header, sizeof(header)) < 0 && errno == EINTR)
        ;
}
