/* The host's users and groups, through its name service. c/engine has the same for static programs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "../ch.h"

/* FIELDS as consecutive strings in OUT. Their length, or -ERANGE. */
static int32_t pack_fields(const char *const *fields, int count, char *out, uint32_t cap,
                           struct ch_error *err)
{
    uint32_t at = 0;
    for (int i = 0; i < count; i++) {
        size_t n = strlen(fields[i] == NULL ? "" : fields[i]) + 1;
        if (at + n > cap)
            return CH_FAIL_WITH(err, ERANGE, "getpwuid_r", "%s", "");
        memcpy(out + at, fields[i] == NULL ? "" : fields[i], n);
        at += (uint32_t)n;
    }
    return (int32_t)at;
}

/* The errno values by which name services say "no such entry" (getpwnam(3)). */
static int means_absent(int errnum)
{
    return errnum == 0 || errnum == ENOENT || errnum == ESRCH || errnum == EBADF || errnum == EPERM;
}

CH_API int32_t ch_process_find_user(uint32_t uid, char *out, uint32_t cap, struct ch_error *err)
{
    char buffer[16384];
    struct passwd entry, *found = NULL;
    int errnum = getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found);

    if (found == NULL)
        return means_absent(errnum) ? 0 : CH_FAIL_WITH(err, errnum, "getpwuid(3)", "%s", "");
    const char *fields[] = {entry.pw_name, entry.pw_gecos, entry.pw_dir};
    return pack_fields(fields, 3, out, cap, err);
}

CH_API int32_t ch_process_find_group(uint32_t gid, char *out, uint32_t cap, struct ch_error *err)
{
    char buffer[65536]; /* a group's members may be many */
    struct group entry, *found = NULL;
    int errnum = getgrgid_r(gid, &entry, buffer, sizeof(buffer), &found);

    if (found == NULL)
        return means_absent(errnum) ? 0 : CH_FAIL_WITH(err, errnum, "getgrgid(3)", "%s", "");
    const char *fields[] = {entry.gr_name};
    return pack_fields(fields, 1, out, cap, err);
}
