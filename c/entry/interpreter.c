/* Loading the C library's program interpreter (ld.so), as the kernel would for a file that names
 * one. */
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "kernel.h"
#include "start.h"

#define HEADERS_MAX 16

static uintptr_t page_size(const struct given *given)
{
    const unsigned long *pair = given->auxv;

    while (pair[0] != AT_PAGESZ && pair[0] != AT_NULL)
        pair += 2;
    return pair[0] == AT_PAGESZ ? pair[1] : 4096;
}

static int protection(uint32_t flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
           (flags & PF_X ? PROT_EXEC : 0);
}

static int is_error(long result)
{
    return (unsigned long)result > -4096ul;
}

/* One segment of the file at its place; what the file does not fill is zero. */
static int map_segment(int fd, uintptr_t base, const Elf64_Phdr *header, uintptr_t page)
{
    uintptr_t address = base + header->p_vaddr;
    uintptr_t start = address & ~(page - 1);
    uintptr_t file_end = address + header->p_filesz;
    uintptr_t mapped_end = (file_end + page - 1) & ~(page - 1);
    uintptr_t end = address + header->p_memsz;
    int prot = protection(header->p_flags);

    if (is_error(SYS6(SYS_mmap, start, file_end - start, prot, MAP_PRIVATE | MAP_FIXED, fd,
                      header->p_offset - (address - start))))
        return -1;
    if (end == file_end)
        return 0;
    for (uintptr_t at = file_end; at < mapped_end; at++) /* it allocates behind its end, too */
        *(char *)at = 0;
    if (end > mapped_end && is_error(SYS6(SYS_mmap, mapped_end, end - mapped_end, prot,
                                          MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0)))
        return -1;
    return 0;
}

uintptr_t load_interpreter(const struct given *given, const char *path, uintptr_t *base)
{
    const char *argv0 = given->argv[0];
    Elf64_Ehdr elf;
    Elf64_Phdr headers[HEADERS_MAX];
    uintptr_t size = 0;
    long fd = SYS4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    long place;

    if (fd < 0)
        FAIL(argv0, "this tool needs the GNU C library, whose ld.so is not here; ch-run does not");
    if (SYS4(SYS_pread64, fd, &elf, sizeof(elf), 0) != sizeof(elf) || elf.e_type != ET_DYN ||
        elf.e_phentsize != sizeof(headers[0]) || elf.e_phnum > HEADERS_MAX ||
        SYS4(SYS_pread64, fd, headers, elf.e_phnum * sizeof(headers[0]), elf.e_phoff) !=
            (long)(elf.e_phnum * sizeof(headers[0])))
        FAIL(argv0, "the C library's ld.so is not what it should be");

    for (int i = 0; i < elf.e_phnum; i++)
        if (headers[i].p_type == PT_LOAD && headers[i].p_vaddr + headers[i].p_memsz > size)
            size = headers[i].p_vaddr + headers[i].p_memsz;
    place = SYS6(SYS_mmap, 0, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (is_error(place))
        FAIL(argv0, "no room in memory (ulimit -v)");
    for (int i = 0; i < elf.e_phnum; i++)
        if (headers[i].p_type == PT_LOAD &&
            map_segment((int)fd, (uintptr_t)place, &headers[i], page_size(given)) < 0)
            FAIL(argv0, "can't map the C library's ld.so (noexec?)");
    SYS1(SYS_close, fd);
    *base = (uintptr_t)place;
    return (uintptr_t)place + elf.e_entry;
}
