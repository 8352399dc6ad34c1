/* What init carries for the small engine: made by build/ch-snapshot, and the table of its script's lines. */
        .section .rodata.payloads, "a", @progbits
        .globl  engine_snapshot, engine_snapshot_end, engine_lines, engine_lines_end
        .hidden engine_snapshot, engine_snapshot_end, engine_lines, engine_lines_end
        .balign 16
engine_snapshot:
        .incbin "ch-run.snapshot"
engine_snapshot_end:
        .balign 16
engine_lines:
        .incbin "ch-run.lines"
engine_lines_end:

        .section .note.GNU-stack, "", @progbits
