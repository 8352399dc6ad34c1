/* First instructions, and the jump into the program that the entry code has chosen; the other half of
 * arch_x86_64.h. The kernel gives rsp, pointing at argc. What is prepared lies directly below that, so
 * our own stack begins further down (START_ROOM of start.h). */
        .section .text.start, "ax", @progbits
        .globl  entry_start
        .hidden entry_start
entry_start:
        mov     %rsp, %rdi
        sub     $16384, %rsp
        and     $-16, %rsp
        xor     %ebp, %ebp
        call    entry_prepare
        mov     %rax, %rsp              /* struct start: stack, code */
        mov     %rdx, %rax
        xor     %edx, %edx              /* nothing to be called at exit */
        jmp     *%rax

        .section .note.GNU-stack, "", @progbits
