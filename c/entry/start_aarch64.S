/* First instructions, and the jump into the program that the entry code has chosen; the other half of
 * arch_aarch64.h. The kernel gives sp, pointing at argc. What is prepared lies directly below that, so
 * our own stack begins further down (START_ROOM of start.h). */
        .section .text.start, "ax", @progbits
        .globl  entry_start
        .hidden entry_start
        .type   entry_start, %function
entry_start:
        mov     x0, sp
        sub     sp, sp, #16384
        mov     x29, #0
        mov     x30, #0
        bl      entry_prepare
        mov     sp, x0                  /* struct start: stack, code */
        mov     x16, x1                 /* a register by which programs with landing pads may be entered */
        mov     x0, #0                  /* nothing to be called at exit */
        br      x16

        .section .note.GNU-stack, "", @progbits
