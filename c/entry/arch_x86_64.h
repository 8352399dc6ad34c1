/* System calls of x86-64; with start_x86_64.S all of the entry code that depends on the
 * architecture. Another one is two more files like these, and one like tools/arch/x86_64.mk. */
#ifndef CH_ARCH_H
#define CH_ARCH_H

static inline long arch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#endif
