/* The record that ch-run leaves of its calls (spec/ch-run.md §9.5). */
#include "../ch.h"

#include <syslog.h>

int32_t ch_syslog_send(const char *tag, const char *text)
{
    openlog(tag, 0, LOG_USER);
    syslog(LOG_USER | LOG_INFO, "%s", text);
    closelog(); /* forgets TAG, which is the caller's memory */
    return 0;
}
