/* See remedy.h: why a command could not be executed. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "remedy.h"

static char text[PATH_MAX + 256];

/* The program that PATH asks for: after "#!", or the dynamic loader of an ELF file. */
static bool find_interpreter(const char *path, char *interpreter, size_t capacity)
{
    char head[PATH_MAX] = "";
    const Elf64_Ehdr *elf = (const void *)head;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = fd < 0 ? -1 : read(fd, head, sizeof(head) - 1);

    if (fd >= 0)
        close(fd);
    if (size > 2 && head[0] == '#' && head[1] == '!') {
        char *start = head + 2 + strspn(head + 2, " \t");
        snprintf(interpreter, capacity, "%.*s", (int)strcspn(start, " \t\n"), start);
        return true;
    }
    if (size < (ssize_t)sizeof(*elf) || memcmp(head, ELFMAG, SELFMAG) != 0 ||
        head[EI_CLASS] != ELFCLASS64)
        return false;
    for (unsigned i = 0; i < elf->e_phnum; i++) {
        const Elf64_Phdr *segment;
        size_t at = elf->e_phoff + i * sizeof(*segment);
        if (at + sizeof(*segment) > (size_t)size)
            return false;
        segment = (const void *)(head + at);
        if (segment->p_type != PT_INTERP)
            continue;
        if (segment->p_offset + segment->p_filesz > (size_t)size)
            return false;
        snprintf(interpreter, capacity, "%.*s", (int)segment->p_filesz, head + segment->p_offset);
        return true;
    }
    return false;
}

/* What the processors of the ELF file PATH are called, as QEMU does; NULL if it is no such file. */
static const char *name_machine(const char *path)
{
    static const struct {
        unsigned machine;
        const char *name;
    } machines[] = {{EM_X86_64, "x86_64"}, {EM_386, "i386"},   {EM_AARCH64, "aarch64"},
                    {EM_ARM, "arm"},       {EM_S390, "s390x"}, {EM_PPC64, "ppc64le"},
                    {EM_RISCV, "riscv64"}, {EM_MIPS, "mips"}};
    unsigned char head[20];
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = fd < 0 ? -1 : read(fd, head, sizeof(head));

    if (fd >= 0)
        close(fd);
    if (size != sizeof(head) || memcmp(head, ELFMAG, SELFMAG) != 0)
        return NULL;
    unsigned machine = head[EI_DATA] == ELFDATA2MSB ? (unsigned)head[18] << 8 | head[19]
                                                    : (unsigned)head[19] << 8 | head[18];
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
        if (machines[i].machine == machine)
            return machines[i].name;
    return "another processor";
}

static const char *remedy_format(const char *path)
{
    const char *machine = name_machine(path);

    if (machine == NULL)
        return "it is no program, or one for another architecture than this machine's";
    snprintf(text, sizeof(text),
             "it is a program for %s: use an image for this machine (\"ch-image pull "
             "--arch=host\"), or have an administrator install qemu-user-static, which lets this "
             "machine run it",
             machine);
    return text;
}

static const char *remedy_missing(const char *path, const char *search)
{
    char interpreter[PATH_MAX];

    if (path == NULL && search == NULL)
        return "there is no such file in the container";
    if (path == NULL) {
        snprintf(text, sizeof(text), "no directory of the container's PATH has it: %s", search);
        return text;
    }
    if (!find_interpreter(path, interpreter, sizeof(interpreter)) ||
        access(interpreter, F_OK) == 0) {
        const char *machine = name_machine(path);
        if (machine == NULL)
            return "the file is there, but not the program that it needs to run";
        snprintf(text, sizeof(text),
                 "it is a program for %s; if that is not this machine's architecture, the emulator "
                 "is not found in the container: its handler in /proc/sys/fs/binfmt_misc needs the "
                 "flag F, as qemu-user-static sets it",
                 machine);
        return text;
    }
    snprintf(text, sizeof(text), "the image lacks the program that runs it: %s", interpreter);
    return text;
}

static const char *remedy_denied(const char *path)
{
    struct statvfs system;
    struct stat st;

    if (path == NULL || stat(path, &st) < 0)
        return NULL;
    if (S_ISDIR(st.st_mode))
        return "it is a directory";
    if (statvfs(path, &system) == 0 && system.f_flag & ST_NOEXEC)
        return "its file system is mounted noexec: copy the image to another one, or use a "
               "SquashFS "
               "file, which may lie there: \"ch-convert IMAGE IMAGE.sqfs\"";
    if (!(st.st_mode & 0111))
        return "the file is not executable: \"chmod +x\" it in the image, or name its interpreter, "
               "such as \"sh FILE\"";
    return "you may not execute the file, or the program that runs it";
}

const char *remedy_exec(int errnum, const char *path, const char *search)
{
    switch (errnum) {
    case ENOENT:
        return remedy_missing(path, search);
    case EACCES:
    case EPERM:
        return remedy_denied(path);
    case ENOEXEC:
        return remedy_format(path);
    case E2BIG:
        return "arguments and environment are too long: --unset-env makes the latter shorter";
    default:
        return NULL;
    }
}
