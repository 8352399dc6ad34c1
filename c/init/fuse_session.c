/* See fuse_session.h. One thread at a time waits for requests. What takes moments it answers itself
 * and looks for the next; before anything longer it leaves waiting to another thread. So a program
 * that asks one thing after the other talks to one thread, which is awake. */
#define _GNU_SOURCE
#include "fuse_session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE (256 << 10)
#define PUSHERS_MAX 4
/* How long to look for the next request before sleeping, in nanoseconds. Going to sleep and being
 * woken takes the kernel about as long. */
#define LOOK 20000

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Looks for LOOK, if IN_TALK, then sleeps until there is something to read. */
static void await_request(const struct fuse_session *session, bool in_talk, uint64_t *since)
{
    struct pollfd wanted = {session->fd, POLLIN, 0};

    if (in_talk && session->looks) {
        if (*since == 0)
            *since = now();
        if (now() - *since < LOOK)
            return;
    }
    poll(&wanted, 1, -1);
}

/* False: the connection is gone. IN_TALK: the last request was just answered. */
static bool read_request(const struct fuse_session *session, char *input, size_t *size,
                         bool in_talk)
{
    uint64_t since = 0;

    for (;;) {
        ssize_t n = read(session->fd, input, FUSE_INPUT_SIZE);
        if (n >= (ssize_t)sizeof(struct fuse_in_header)) {
            *size = (size_t)n;
            return true;
        }
        /* ENOENT: the caller was killed while we were reading. ENODEV: unmounted. */
        if (n >= 0 || (errno != EINTR && errno != EAGAIN && errno != ENOENT))
            return false;
        if (errno == EAGAIN)
            await_request(session, in_talk, &since);
    }
}

static void *work(void *argument)
{
    struct fuse_session *session = argument;
    char *input = malloc(FUSE_INPUT_SIZE), *output = malloc(FUSE_OUTPUT_SIZE);
    struct fuse_request request = {.session = session, .output = output};
    bool in_talk = false;
    size_t size;

    if (input == NULL || output == NULL)
        return NULL;
    request.header = (const struct fuse_in_header *)input;
    request.body = input + sizeof(*request.header);
    pthread_mutex_lock(&session->turn);
    while (read_request(session, input, &size, in_talk)) {
        request.size = size - sizeof(*request.header);
        in_talk = request.header->opcode != FUSE_READ;
        if (!in_talk)
            pthread_mutex_unlock(&session->turn);
        fuse_answer(&request);
        if (!in_talk)
            pthread_mutex_lock(&session->turn);
    }
    /* Nobody is left to wait for an answer of the other threads. */
    _exit(0);
}

void fuse_session_run(struct sq *image, int fd, unsigned threads, bool looks)
{
    struct fuse_session session = {
        .image = image,
        .fd = fd,
        .root = sq_info(image)->root,
        .looks = looks,
        .turn = PTHREAD_MUTEX_INITIALIZER,
    };
    pthread_attr_t attributes;

    fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
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
