/* Deno's environment; the user's stays readable in /proc/self/environ. */
#include <elf.h>

#include "kernel.h"
#include "start.h"

/* What Deno may see of the user's environment: it obeys DENO_*, NODE_*, HOME and more, so only what
 * network access and local time need is let through. */
static int is_for_deno(const char *entry)
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

/* Entries of auxv that only ld.so reads, and it is done. */
static int is_spent(unsigned long type)
{
    return type == AT_BASE || type == AT_FLAGS || type == AT_ENTRY || type == AT_EXECFN;
}

/* Save the pairs that the environment grows over, in the place of spent ones further on. */
static void move_pairs(unsigned long *auxv, int words)
{
    unsigned long *spent = auxv + words;

    for (int i = 0; i < words; i += 2) {
        while (spent[0] != AT_NULL && !is_spent(spent[0]))
            spent += 2;
        if (spent[0] == AT_NULL)
            return;
        spent[0] = auxv[i];
        spent[1] = auxv[i + 1];
    }
}

/* libc knows the list of the environment already, so it is changed in place; the strings, and with
 * them /proc/self/environ, stay. Where the caller's list is shorter than ours it grows over the
 * first pairs of auxv. libc looks values up there by type: its end (NULL) must not fall on a type,
 * or it would look like auxv's own end. */
void set_environment(char **env, char **ours, int count)
{
    int length = 0, kept = 0, extra;

    while (env[length] != NULL)
        length++;
    for (int i = 0; i < length; i++)
        if (is_for_deno(env[i]))
            env[kept++] = env[i];
    extra = kept + count - length;
    if (extra > 0) {
        extra += extra % 2;
        move_pairs((unsigned long *)(env + length + 1), extra);
    }
    for (int i = 0; i < count; i++)
        env[kept++] = ours[i];
    while (kept < length + extra)
        env[kept++] = (char *)"CH_FILLER=";
    env[kept] = NULL;
}
