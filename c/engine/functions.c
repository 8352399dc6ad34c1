/* The C functions that scripts on the small engine may call: those of the shim that ffi/ asks for
 * in the tools that run here, and what Deno would do for them. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../ch.h"
#include "engine.h"
#include "machine.h"

static int32_t small_write(int32_t fd, const void *bytes, uint64_t length)
{
    ssize_t n = write(fd, bytes, length);
    return n < 0 ? -errno : (int32_t)n;
}

static int32_t small_exit(int32_t status)
{
    _exit(status);
}

static int32_t small_pid(void)
{
    return getpid();
}

static int32_t small_parent(void)
{
    return getppid();
}

static int32_t small_sleep(int32_t milliseconds)
{
    return usleep((useconds_t)milliseconds * 1000);
}

static int32_t small_lines_length(void)
{
    return (int32_t)(engine_lines_end - engine_lines);
}

static int32_t small_lines_read(uint64_t at, void *to, uint64_t length)
{
    uint64_t whole = (uint64_t)small_lines_length();

    if (at > whole || length > whole - at)
        return -EINVAL;
    memcpy(to, engine_lines + at, length);
    return (int32_t)length;
}

static const struct {
    const char *name;
    void *function;
} functions[] = {
    {"small_exit", small_exit},
    {"small_lines_length", small_lines_length},
    {"small_lines_read", small_lines_read},
    {"small_parent", small_parent},
    {"small_pid", small_pid},
    {"small_sleep", small_sleep},
    {"small_write", small_write},
    {"ch_path_close", ch_path_close},
    {"ch_path_identity", ch_path_identity},
    {"ch_path_list", ch_path_list},
    {"ch_path_mode", ch_path_mode},
    {"ch_path_open", ch_path_open},
    {"ch_path_read", ch_path_read},
    {"ch_path_readlink", ch_path_readlink},
    {"ch_path_real", ch_path_real},
    {"ch_path_xattr", ch_path_xattr},
    {"ch_process_find_group", ch_process_find_group},
    {"ch_process_find_user", ch_process_find_user},
    {"ch_process_identity", ch_process_identity},
    {"ch_process_replace", ch_process_replace},
    {"ch_squashfs_reader_close", ch_squashfs_reader_close},
    {"ch_squashfs_reader_list", ch_squashfs_reader_list},
    {"ch_squashfs_reader_open", ch_squashfs_reader_open},
    {"ch_squashfs_reader_read", ch_squashfs_reader_read},
    {"ch_squashfs_reader_readlink", ch_squashfs_reader_readlink},
    {"ch_squashfs_reader_resolve", ch_squashfs_reader_resolve},
    {"ch_squashfs_reader_start_readahead", ch_squashfs_reader_start_readahead},
    {"ch_squashfs_reader_stat", ch_squashfs_reader_stat},
    {"ch_squashfs_reader_xattrs", ch_squashfs_reader_xattrs},
    {"ch_syslog_send", ch_syslog_send},
};

/* All have integers and pointers as parameters, which go the same way, however many there are. */
native_function native_find(const char *name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strcmp(functions[i].name, name) == 0)
            return (native_function)functions[i].function;
    return NULL;
}
