/* Deno's environment; the user's stays readable in /proc/self/environ. */
#include "kernel.h"
#include "start.h"

/* It obeys DENO_*, NODE_*, HOME and more, so only what network access and local time need is let
 * through. LD_* is for the user's programs, and the C library has not looked at it yet. */
int is_for_deno(const char *entry)
{
    static const char allowed[][16] = {
        "TZ=",        "HTTP_PROXY=", "http_proxy=", "HTTPS_PROXY=", "https_proxy=",
        "ALL_PROXY=", "all_proxy=",  "NO_PROXY=",   "no_proxy=",    "",
    };
    for (int i = 0; allowed[i][0] != '\0'; i++) {
        int k = 0;
        while (allowed[i][k] != '\0' && allowed[i][k] == entry[k])
            k++;
        if (allowed[i][k] == '\0')
            return 1;
    }
    return 0;
}
