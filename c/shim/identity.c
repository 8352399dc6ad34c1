/* Who runs us. */
#define _GNU_SOURCE
#include <unistd.h>

#include "../ch.h"

CH_API int32_t ch_process_identity(struct ch_identity *identity, struct ch_error *err)
{
    gid_t groups[CH_IDENTITY_GROUPS];
    int count;

    if (getresuid(&identity->uid[0], &identity->uid[1], &identity->uid[2]) < 0 ||
        getresgid(&identity->gid[0], &identity->gid[1], &identity->gid[2]) < 0)
        return CH_FAIL(err, "getresuid", "%s", "");
    count = getgroups(0, NULL);
    if (count > CH_IDENTITY_GROUPS)
        count = CH_IDENTITY_GROUPS;
    else if (count >= 0)
        count = getgroups(CH_IDENTITY_GROUPS, groups);
    if (count < 0)
        return CH_FAIL(err, "getgroups", "%s", "");
    for (int i = 0; i < count; i++)
        identity->groups[i] = groups[i];
    identity->group_count = (uint32_t)count;
    return 0;
}
