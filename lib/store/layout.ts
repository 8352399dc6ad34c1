// What lies in a storage directory (spec ch-image §4.2). `img` is read by ch-run and ch-convert too.

/** Format of the storage. Upstream's numbers are below 100; neither reads the other's. */
export const STORE_VERSION = 100;

/** A text file: the format version, decimal. */
export const VERSION_FILE = "version";
/** Locked as long as a command uses the storage. */
export const LOCK_FILE = "lock";
/** A directory for each image, named by its mangled reference. */
export const IMAGES = "img";
/** Downloaded blobs and manifests. */
export const DOWNLOADS = "dlcache";
/** Layers made for a push, which have no names there. */
export const UPLOADS = "ulcache";
/** Everything unfinished; present only while a command runs, or after one was killed. */
export const SCRATCH = "imgtmp";

/** Made when the storage is. */
export const DIRECTORIES = [IMAGES, DOWNLOADS, UPLOADS, "bucache", "bularge"] as const;

export const REQUIRED: readonly string[] = [...DIRECTORIES, VERSION_FILE];

/** All that may be there besides; "mnt" is ch-run's default mount point for SquashFS images. */
export const OPTIONAL: readonly string[] = [LOCK_FILE, SCRATCH, "mnt"];
