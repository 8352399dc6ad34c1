/* The system log: c/shim/syslog.c, ffi/syslog.ts. */
#ifndef CH_API_SYSLOG_H
#define CH_API_SYSLOG_H

#include "base.h"

/* One record of facility user, priority info. Without a daemon nothing happens. */
CH_API int32_t ch_syslog_send(const char *tag, const char *text);

#endif
