/* First instructions and the jump to the original program; the other half of arch_x86_64.h.
 *
 * rsp points at argc, rdx holds ld.so's fini pointer, which the program must get. The new argument
 * block is built directly below the old one, so our own stack begins a page further down. */
        .section .text.start, "ax", @progbits
        .globl  entry_start
        .hidden entry_start
entry_start:
        mov     %rsp, %rdi
        mov     %rdx, %r12
        lea     graft(%rip), %r13
        sub     $4096, %rsp
        and     $-16, %rsp
        call    entry_prepare
        mov     %rax, %rsp
        mov     %r12, %rdx
        xor     %ebp, %ebp
        add     8(%r13), %r13           /* graft.original_entry */
        jmp     *%r13

        .section .note.GNU-stack, "", @progbits
