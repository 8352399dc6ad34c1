// The sub-commands of ch-image by name, each loaded only when asked for.

import type { SubCommand } from "./sub_command.ts";

interface Listed {
  readonly summary: string;
  load(): Promise<SubCommand>;
}

export const SUB_COMMANDS: Readonly<Record<string, Listed>> = {
  build: {
    summary: "build an image from a Dockerfile",
    load: async () => (await import("./build.ts")).build,
  },
  "build-cache": {
    summary: "print a summary of the build cache; look after it",
    load: async () => (await import("./build_cache.ts")).buildCache,
  },
  delete: {
    summary: "delete images from the storage directory",
    load: async () => (await import("./delete.ts")).deleteCommand,
  },
  gestalt: {
    summary: "tell something about ch-image itself",
    load: async () => (await import("./gestalt.ts")).gestalt,
  },
  import: {
    summary: "make an image from a directory or an archive",
    load: async () => (await import("./import.ts")).importCommand,
  },
  inspect: {
    summary: "print what is known of an image in storage, as JSON",
    load: async () => (await import("./inspect.ts")).inspect,
  },
  list: {
    summary: "list the images in the storage directory",
    load: async () => (await import("./list.ts")).list,
  },
  login: {
    summary: "save name and password for a registry",
    load: async () => (await import("./login.ts")).login,
  },
  logout: {
    summary: "remove what login saved",
    load: async () => (await import("./logout.ts")).logout,
  },
  modify: {
    summary: "make an image from another by shell code",
    load: async () => (await import("./modify.ts")).modify,
  },
  pull: {
    summary: "get an image from a registry",
    load: async () => (await import("./pull.ts")).pull,
  },
  push: {
    summary: "put an image into a registry",
    load: async () => (await import("./push.ts")).push,
  },
  reset: {
    summary: "delete everything in the storage directory",
    load: async () => (await import("./reset.ts")).reset,
  },
  undelete: {
    summary: "bring a deleted image back from the build cache",
    load: async () => (await import("./undelete.ts")).undelete,
  },
  "storage-path": {
    summary: "print the storage directory's path; same as “gestalt storage-path”",
    load: async () => (await import("./gestalt.ts")).storagePath,
  },
};
