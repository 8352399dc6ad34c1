// What the shim offers, in the order of c/ch.h, a table for each family. A tool opens only the
// families it needs: each symbol costs time at start.

/** Pointer to struct ch_error, always the last parameter. */
const ERROR = "buffer";

export const PROCESS = {
  ch_process_identity: { parameters: ["buffer", ERROR], result: "i32" },
  ch_process_find_user: { parameters: ["u32", "buffer", "u32", ERROR], result: "i32" },
  ch_process_find_group: { parameters: ["u32", "buffer", "u32", ERROR], result: "i32" },
  ch_process_replace: {
    parameters: ["buffer", "u32", "i32", "buffer", ERROR],
    result: "i32",
  },
  ch_process_spawn: {
    parameters: ["buffer", "u32", "i32", "buffer", "buffer", ERROR],
    result: "i32",
  },
  ch_process_wait: { parameters: ["i32", ERROR], result: "i32", nonblocking: true },
} as const;

/** c/shim/codec.c; wrapped by ffi/codec.ts. */
export const CODEC = {
  ch_decoder_open: { parameters: ["i32", "buffer", ERROR], result: "i32" },
  ch_decoder_run: {
    parameters: ["u64", "buffer", "u64", "buffer", "u64", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_decoder_close: { parameters: ["u64"], result: "i32" },
  ch_gzip_bound: { parameters: ["u64", "buffer", ERROR], result: "i32" },
  ch_gzip_member: {
    parameters: ["i32", "buffer", "u64", "buffer", "u64", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_input_open: { parameters: ["buffer", ERROR], result: "i32" },
  ch_input_read: { parameters: ["i32", "buffer", "u64", ERROR], result: "i32", nonblocking: true },
  ch_input_close: { parameters: ["i32"], result: "i32" },
} as const;

export { ERROR };

// --- lock ----------------------------------------------------------------------------------------

export const LOCK = {
  ch_lock_acquire: { parameters: ["buffer", ERROR], result: "i32" },
  ch_lock_release: { parameters: ["i32", ERROR], result: "i32" },
} as const;

// --- path ----------------------------------------------------------------------------------------

/** c/shim/path.c; wrapped by ffi/path.ts. */
export const PATH = {
  ch_path_mode: { parameters: ["buffer", "i32", ERROR], result: "i32" },
  ch_path_real: { parameters: ["buffer", "buffer", "u32", ERROR], result: "i32" },
  ch_path_readlink: { parameters: ["buffer", "buffer", "u32", ERROR], result: "i32" },
  ch_path_open: { parameters: ["buffer", ERROR], result: "i32" },
  ch_path_read: { parameters: ["i32", "buffer", "u32", "buffer", ERROR], result: "i32" },
  ch_path_close: { parameters: ["i32"], result: "i32" },
  ch_path_mkdir: { parameters: ["buffer", "u32", ERROR], result: "i32" },
} as const;

// --- syslog --------------------------------------------------------------------------------------

/** c/shim/syslog.c; wrapped by ffi/syslog.ts. */
export const SYSLOG = {
  ch_syslog_send: { parameters: ["buffer", "buffer"], result: "i32" },
} as const;
