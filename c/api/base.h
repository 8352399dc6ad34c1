/* What every family of the shim's functions needs. */
#ifndef CH_API_BASE_H
#define CH_API_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"

#define CH_API __attribute__((visibility("default")))

#endif
