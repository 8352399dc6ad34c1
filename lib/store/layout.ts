// What lies in a storage directory (spec ch-image §4.2). `img` is read by ch-run and ch-convert too.

/** Format of the storage. Upstream's numbers are below 100; neither reads the other's. */
export const STORE_VERSION = 101;
/** Formats that become the present one when they are opened. 100 had no build cache, and one lock. */
export const UPGRADABLE: readonly number[] = [100];

/** A text file: the format version, decimal. */
export const VERSION_FILE = "version";
/** The same while the format is upgraded. */
export const FRESH_VERSION = "version.new";
/** Its bytes are locked, each for something: lib/store/lock.ts. */
export const LOCK_FILE = "lock";
/** A directory for each image, named by its mangled reference. */
export const IMAGES = "img";
/** Downloaded blobs and manifests. */
export const DOWNLOADS = "dlcache";
/** States of images (lib/cache/layout.ts). */
export const CACHE = "bucache";
/** Further names of large files of those states. */
export const LARGE_FILES = "bularge";
/** Layers made for a push, which have no names there. */
export const UPLOADS = "ulcache";
/** Everything unfinished; present only while a command runs, or after one was killed. */
export const SCRATCH = "imgtmp";

/** In a directory of SCRATCH, if names can't be exchanged: images that are being replaced, by their names. */
export const REPLACED = "replaced";
/** In a directory of SCRATCH: what was an image's directory, and still is a container's. */
export const USED = "used";

/** What `RUN --mount=type=cache` keeps, a directory for each ID. */
export const CACHE_MOUNTS = "mounts";

/** Made when the storage is. */
export const DIRECTORIES = [IMAGES, DOWNLOADS, UPLOADS, CACHE, LARGE_FILES] as const;

export const REQUIRED: readonly string[] = [...DIRECTORIES, VERSION_FILE];

/** All that may be there besides; "mnt" is ch-run's default mount point for SquashFS images. */
export const OPTIONAL: readonly string[] = [
  LOCK_FILE,
  SCRATCH,
  FRESH_VERSION,
  CACHE_MOUNTS,
  "mnt",
];
