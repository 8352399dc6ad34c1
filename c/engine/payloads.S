/* What init carries for the small engine: made by build/ch-snapshot, and the source map of its script. */
        .section .rodata.payloads, "a", @progbits
        .globl  engine_snapshot, engine_snapshot_end, engine_source_map, engine_source_map_end
        .hidden engine_snapshot, engine_snapshot_end, engine_source_map, engine_source_map_end
        .balign 16
engine_snapshot:
        .incbin "ch-run.snapshot"
engine_snapshot_end:
        .balign 16
engine_source_map:
        .incbin "ch-run.js.map"
engine_source_map_end:

        .section .note.GNU-stack, "", @progbits
