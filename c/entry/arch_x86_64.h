/* The architecture-dependent part of the entry code: system calls, the first instructions and the
 * jump to the original program. Another architecture is another file like this one. */
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

/* At entry rsp points at argc and rdx holds ld.so's fini pointer, which the program must get. The
 * new argument block is built directly below the old one, so our own stack begins a page further
 * down. */
__asm__(".section .text.start,\"ax\",@progbits\n"
        ".globl entry_start\n"
        ".hidden entry_start\n"
        "entry_start:\n"
        "    mov %rsp, %rdi\n"
        "    mov %rdx, %r12\n"
        "    lea graft(%rip), %r13\n"
        "    sub $4096, %rsp\n"
        "    and $-16, %rsp\n"
        "    call entry_prepare\n"
        "    mov %rax, %rsp\n"
        "    mov %r12, %rdx\n"
        "    xor %ebp, %ebp\n"
        "    add 8(%r13), %r13\n" /* graft.original_entry */
        "    jmp *%r13\n"
        ".previous\n");

#endif
