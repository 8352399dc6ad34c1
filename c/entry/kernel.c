/* See kernel.h. */
#include "kernel.h"

#define STATUS_FAIL 31

/* The compiler calls these by itself. */
HIDDEN void *memset(void *to, int value, size_t length)
{
    char *p = to;
    while (length-- > 0)
        *p++ = (char)value;
    return to;
}

HIDDEN void *memcpy(void *to, const void *from, size_t length)
{
    char *p = to;
    const char *q = from;
    while (length-- > 0)
        *p++ = *q++;
    return to;
}

static size_t text_length(const char *text)
{
    size_t n = 0;
    while (text[n] != '\0')
        n++;
    return n;
}

char *append(char *at, const char *text)
{
    while (*text != '\0')
        *at++ = *text++;
    *at = '\0';
    return at;
}

char *append_number(char *at, unsigned long value)
{
    char digits[24];
    int n = 0;
    do
        digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (n > 0)
        *at++ = digits[--n];
    *at = '\0';
    return at;
}

void fail(const char *argv0, const char *text, const char *file, int line)
{
    char message[1024];
    char *at = message;
    const char *name = argv0 == NULL ? "ch" : argv0;

    for (const char *p = name; *p != '\0'; p++)
        if (*p == '/' && p[1] != '\0')
            name = p + 1;
    if (text_length(name) > 255)
        name = "ch";
    at = append(at, name);
    at = append(at, "[");
    at = append_number(at, (unsigned long)SYS0(SYS_getpid));
    at = append(at, "]: error: ");
    at = append(at, text);
    at = append(at, " (");
    at = append(at, file);
    at = append(at, ":");
    at = append_number(at, (unsigned long)line);
    at = append(at, ")\n");
    SYS3(SYS_write, 2, message, at - message);
    for (;;)
        SYS1(SYS_exit_group, STATUS_FAIL);
}
