/* A file being written: without a name, or with a temporary one where the file system cannot do
 * that, until it is complete. Killed, a program leaves nothing but perhaps the latter. */
#ifndef CH_OUTPUT_FILE_H
#define CH_OUTPUT_FILE_H

#include "error.h"

struct output_file;

/* Opens what will become PATH, with mode 0666 less the umask. Its directory must exist. If
 * KEEP_EXISTING, it never replaces anything. */
int output_file_open(const char *path, int keep_existing, struct output_file **file,
                     struct ch_error *err);
int output_file_fd(const struct output_file *file);
const char *output_file_path(const struct output_file *file);
/* Gives the file its name, replacing one that is there, or failing with EEXIST. Everything is on
 * the disk then. */
int output_file_commit(struct output_file *file, struct ch_error *err);
/* Leaves nothing behind unless it was committed. FILE may be NULL. */
void output_file_close(struct output_file *file);

#endif
