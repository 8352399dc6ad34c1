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
  ch_process_pipe: { parameters: ["buffer", ERROR], result: "i32" },
} as const;

/** c/shim/digest.c; wrapped by ffi/sha256.ts. */
export const SHA256 = {
  ch_sha256_begin: { parameters: ["buffer"], result: "void" },
  ch_sha256_add: { parameters: ["buffer", "buffer", "u64"], result: "void" },
  ch_sha256_add_in_background: {
    name: "ch_sha256_add",
    parameters: ["buffer", "buffer", "u64"],
    result: "void",
    nonblocking: true,
  },
  ch_sha256_end: { parameters: ["buffer", "buffer"], result: "void" },
} as const;

/** c/shim/{decoder,compress,input_file}.c; wrapped by ffi/codec.ts. */
export const CODEC = {
  ch_decoder_open: { parameters: ["i32", "buffer", ERROR], result: "i32" },
  ch_decoder_run: {
    parameters: ["u64", "buffer", "u64", "buffer", "u64", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_decoder_close: { parameters: ["u64"], result: "i32" },
  ch_compress_bound: { parameters: ["i32", "u64", "buffer", ERROR], result: "i32" },
  ch_compress: {
    parameters: ["i32", "i32", "buffer", "u64", "buffer", "u64", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_input_open: { parameters: ["buffer", "u64", ERROR], result: "i32" },
  ch_input_read: { parameters: ["i32", "buffer", "u64", ERROR], result: "i32", nonblocking: true },
  ch_input_close: { parameters: ["i32"], result: "i32" },
} as const;

export { ERROR };

// --- build cache ---------------------------------------------------------------------------------

/** c/shim/cache*.c; wrapped by ffi/cache.ts. */
export const CACHE = {
  ch_cache_commit: {
    parameters: ["buffer", "buffer", "buffer", "buffer", "u32", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_cache_check_out: {
    parameters: ["i32", "buffer", "buffer", "i32", "u32", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_cache_list: {
    parameters: ["i32", "buffer", "i32", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_cache_sweep: {
    parameters: ["i32", "buffer", "u32", "u32", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_cache_measure: { parameters: ["i32", "buffer", ERROR], result: "i32", nonblocking: true },
} as const;

// --- socket --------------------------------------------------------------------------------------

export const SOCKET = {
  ch_socket_hurry: { parameters: [ERROR], result: "i32" },
} as const;

// --- lock ----------------------------------------------------------------------------------------

export const LOCK = {
  ch_lock_acquire: { parameters: ["buffer", "i64", "u32", ERROR], result: "i32" },
  ch_lock_release: { parameters: ["i32", ERROR], result: "i32" },
} as const;

// --- path ----------------------------------------------------------------------------------------

/** c/shim/path.c; wrapped by ffi/path.ts. */
export const PATH = {
  ch_path_mode: { parameters: ["buffer", "i32", ERROR], result: "i32" },
  ch_path_real: { parameters: ["buffer", "buffer", "u32", ERROR], result: "i32" },
  ch_path_readlink: { parameters: ["buffer", "i32", "buffer", "u32", ERROR], result: "i32" },
  ch_path_identity: { parameters: ["buffer", "buffer", ERROR], result: "i32" },
  ch_path_xattr: { parameters: ["buffer", "buffer", "buffer", "u32", ERROR], result: "i32" },
  ch_path_list: { parameters: ["buffer", "buffer", "u32", ERROR], result: "i32" },
  ch_path_open: { parameters: ["buffer", "i32", ERROR], result: "i32" },
  ch_path_read: { parameters: ["i32", "buffer", "u32", "buffer", ERROR], result: "i32" },
  ch_path_close: { parameters: ["i32"], result: "i32" },
} as const;

// --- syslog --------------------------------------------------------------------------------------

/** c/shim/syslog.c; wrapped by ffi/syslog.ts. */
export const SYSLOG = {
  ch_syslog_send: { parameters: ["buffer", "buffer"], result: "i32" },
} as const;

/** c/shim/output_file.c; wrapped by ffi/output_file.ts. */
export const OUTPUT_FILE = {
  ch_output_open: { parameters: ["buffer", "i32", "buffer", ERROR], result: "i32" },
  ch_output_write: {
    parameters: ["u64", "buffer", "u64", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_output_commit: { parameters: ["u64", ERROR], result: "i32", nonblocking: true },
  ch_output_close: { parameters: ["u64"], result: "i32" },
} as const;

/** c/shim/squashfs_writer.c; wrapped by ffi/squashfs_writer.ts. What handles much data is there twice:
 * a call of its own thread costs more than a small file takes. */
export const SQUASHFS_WRITER = {
  ch_squashfs_create: { parameters: ["buffer", "buffer", "buffer", ERROR], result: "i32" },
  ch_squashfs_add: {
    parameters: ["u64", "buffer", "buffer", "buffer", "buffer", ERROR],
    result: "i32",
  },
  add_nonblocking: {
    name: "ch_squashfs_add",
    parameters: ["u64", "buffer", "buffer", "buffer", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_squashfs_add_tree: {
    parameters: ["u64", "i32", "buffer", "buffer", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_squashfs_append: { parameters: ["u64", "buffer", "u64", ERROR], result: "i32" },
  append_nonblocking: {
    name: "ch_squashfs_append",
    parameters: ["u64", "buffer", "u64", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_squashfs_end_file: { parameters: ["u64", ERROR], result: "i32" },
  ch_squashfs_finish: { parameters: ["u64", "buffer", ERROR], result: "i32", nonblocking: true },
  ch_squashfs_close: { parameters: ["u64"], result: "i32" },
} as const;

// --- tree ----------------------------------------------------------------------------------------

/** c/shim/tree*.c: looking at image trees; wrapped by ffi/tree.ts and ffi/descriptor.ts. */
export const TREE = {
  ch_tree_open_root: { parameters: ["buffer", ERROR], result: "i32" },
  ch_tree_open_directory: { parameters: ["i32", "buffer", ERROR], result: "i32" },
  ch_tree_open_file: { parameters: ["i32", "buffer", "buffer", ERROR], result: "i32" },
  ch_tree_close: { parameters: ["i32", ERROR], result: "i32" },
  ch_tree_list: { parameters: ["i32", "buffer", "u32", "buffer", ERROR], result: "i32" },
  ch_tree_stat: { parameters: ["i32", "buffer", "buffer", ERROR], result: "i32" },
  ch_tree_readlink: { parameters: ["i32", "buffer", "buffer", "u32", ERROR], result: "i32" },
  ch_tree_get_xattrs: {
    parameters: ["i32", "buffer", "buffer", "u32", "buffer", ERROR],
    result: "i32",
  },
  ch_tree_read: { parameters: ["i32", "buffer", "u32", "i64", ERROR], result: "i32" },
  ch_tree_resolve: {
    parameters: ["i32", "buffer", "u32", "buffer", "u32", "buffer", ERROR],
    result: "i32",
  },
} as const;

/** Changing one thing in an image tree; wrapped by ffi/tree_change.ts. */
export const TREE_CHANGE = {
  ch_tree_create: { parameters: ["i32", "buffer", "u32", ERROR], result: "i32" },
  ch_tree_mkdir: { parameters: ["i32", "buffer", "u32", ERROR], result: "i32" },
  ch_tree_symlink: { parameters: ["buffer", "i32", "buffer", ERROR], result: "i32" },
  ch_tree_link: { parameters: ["i32", "buffer", "i32", "buffer", ERROR], result: "i32" },
  ch_tree_put: {
    parameters: ["i32", "buffer", "buffer", "u32", "u32", "i64", "u32", ERROR],
    result: "i32",
  },
  ch_tree_chmod: { parameters: ["i32", "buffer", "u32", ERROR], result: "i32" },
  ch_tree_chown: { parameters: ["i32", "buffer", "u32", "u32", ERROR], result: "i32" },
  ch_tree_set_mtime: { parameters: ["i32", "buffer", "i64", "u32", ERROR], result: "i32" },
  ch_tree_unlink: { parameters: ["i32", "buffer", ERROR], result: "i32" },
  ch_tree_rmdir: { parameters: ["i32", "buffer", ERROR], result: "i32" },
  ch_tree_rename: { parameters: ["i32", "buffer", "i32", "buffer", "u32", ERROR], result: "i32" },
  ch_tree_set_xattr: {
    parameters: ["i32", "buffer", "buffer", "buffer", "u32", ERROR],
    result: "i32",
  },
  ch_tree_write: { parameters: ["i32", "buffer", "u32", "i64", ERROR], result: "i32" },
  ch_tree_finish_file: {
    parameters: ["i32", "u64", "u32", "i64", "u32", ERROR],
    result: "i32",
  },
  ch_tree_copy_data: { parameters: ["i32", "i32", "u64", ERROR], result: "i32" },
  /** Not in the background: disposing, which is synchronous, removes trees. */
  ch_tree_remove_tree: { parameters: ["i32", "buffer", ERROR], result: "i32" },
} as const;

/** c/shim/tree_batch.c: changing many things; wrapped by ffi/tree_batch.ts. */
export const TREE_BATCH = {
  ch_tree_batch_open: { parameters: ["i32", "i32", "buffer", ERROR], result: "i32" },
  ch_tree_batch_run: {
    parameters: ["u64", "buffer", "u32", "u32", "buffer", "buffer", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_tree_batch_cancel: { parameters: ["u64"], result: "i32" },
  ch_tree_batch_close: { parameters: ["u64"], result: "i32" },
} as const;

/** Whole image trees; wrapped by ffi/tree_whole.ts. */
export const TREE_WHOLE = {
  ch_tree_link_tree: {
    parameters: ["i32", "i32", "u32", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_tree_copy_tree: {
    parameters: ["i32", "i32", "u32", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
  ch_tree_apply_overlay: {
    parameters: ["i32", "i32", "buffer", ERROR],
    result: "i32",
    nonblocking: true,
  },
} as const;

// --- memory file ---------------------------------------------------------------------------------

/** c/shim/memory_file.c; wrapped by ffi/memory_file.ts. */
export const MEMORY_FILE = {
  ch_memory_file_open: { parameters: ["buffer", ERROR], result: "i32" },
} as const;

// --- squashfs_reader -----------------------------------------------------------------------------

/** c/shim/squashfs_reader.c; wrapped by ffi/squashfs_reader.ts. */
export const SQUASHFS_READER = {
  ch_squashfs_reader_open: { parameters: ["buffer", "buffer", ERROR], result: "i32" },
  ch_squashfs_reader_close: { parameters: ["u64"], result: "i32" },
  ch_squashfs_reader_start_readahead: { parameters: ["u64", "u32"], result: "i32" },
  ch_squashfs_reader_list: {
    parameters: ["u64", "u64", "u64", "buffer", "u32", ERROR],
    result: "i32",
  },
  ch_squashfs_reader_resolve: { parameters: ["u64", "buffer", "buffer", ERROR], result: "i32" },
  ch_squashfs_reader_stat: { parameters: ["u64", "u64", "buffer", ERROR], result: "i32" },
  ch_squashfs_reader_readlink: { parameters: ["u64", "u64", "buffer", ERROR], result: "i32" },
  ch_squashfs_reader_xattrs: {
    parameters: ["u64", "u64", "buffer", "u32", ERROR],
    result: "i32",
  },
  ch_squashfs_reader_read: {
    parameters: ["u64", "u64", "u64", "buffer", "u32", ERROR],
    result: "i32",
  },
  read_nonblocking: {
    name: "ch_squashfs_reader_read",
    parameters: ["u64", "u64", "u64", "buffer", "u32", ERROR],
    result: "i32",
    nonblocking: true,
  },
} as const;
