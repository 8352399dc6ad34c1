// What a build is given, and what its stages share.

import type { Dockerfile } from "../dockerfile/instruction.ts";
import type { ImageReference } from "../reference/reference.ts";
import type { Metadata } from "../store/metadata.ts";
import type { Store } from "../store/store.ts";
import type { ContainerTools } from "./container.ts";
import type { Force } from "./force.ts";
import type { Sources } from "./sources.ts";
import type { Stages } from "./stages.ts";

export interface BuildOptions {
  readonly dockerfile: Dockerfile;
  /** Name of the image. */
  readonly tag: ImageReference;
  /** Absolute path of the context directory; undefined if there is none. */
  readonly context: string | undefined;
  /** `--build-arg` */
  readonly buildArguments: ReadonlyMap<string, string>;
  readonly force: Force;
  /** Announce, but execute and store nothing. */
  readonly dryRun: boolean;
  /** What RUN works on: an overlay where it can be had, or a copy of the base image. */
  readonly changes: "auto" | "in-place";
}

export interface BuildTools extends ContainerTools {
  readonly store: Store;
  /** The caller's environment. */
  readonly caller: ReadonlyMap<string, string>;
  /** Of directories that COPY and WORKDIR make: 0777 less the umask. */
  readonly directoryMode: number;
  readonly now: () => Date;
  /** Gets an image for FROM from its registry into the storage; without, FROM has to find it there. */
  readonly pull?: ((reference: ImageReference) => Promise<void>) | undefined;
}

/** What the stages of one build share. */
export interface Build {
  readonly options: BuildOptions;
  readonly tools: BuildTools;
  readonly stages: Stages;
  readonly sources: Sources;
  /** ARG before FROM, and `FROM --arg`: for all stages from there on. */
  readonly globalArg: Map<string, string>;
  /** Metadata of the stages that are done, by number. */
  readonly finished: Map<number, Metadata>;
}
