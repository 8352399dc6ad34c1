// What a build is given, and what its stages share.

import type { StateStore } from "../cache/state_store.ts";
import type { Dockerfile } from "../dockerfile/instruction.ts";
import type { ImageReference } from "../reference/reference.ts";
import type { Store } from "../store/store.ts";
import type { Base } from "./base.ts";
import type { CacheMounts } from "./cache_mounts.ts";
import type { ContainerTools } from "./container.ts";
import type { Force } from "./force.ts";
import type { PathFilter } from "./path_filter.ts";
import type { Platform } from "./platform.ts";
import type { Secrets } from "./secrets.ts";
import type { Sources } from "./sources.ts";
import type { PlannedStage } from "./stages.ts";
import type { BuildView, OpenView } from "./view.ts";

export interface BuildOptions {
  readonly dockerfile: Dockerfile;
  /** Name of the image. */
  readonly tag: ImageReference;
  /** Absolute path of the context directory; undefined if there is none. */
  readonly context: string | undefined;
  /** What of the context is as if it were not there. */
  readonly ignore?: PathFilter | undefined;
  /** `--build-arg` */
  readonly buildArguments: ReadonlyMap<string, string>;
  readonly force: Force;
  /** Announce, but execute and store nothing. */
  readonly dryRun?: boolean;
  /** Say of each instruction that is executed, why. */
  readonly explain?: boolean;
  /** What RUN works on: an overlay where it can be had (the default), or a copy of the base image. */
  readonly changes?: "auto" | "in-place";
  /** Alias or number of the stage to end with; the last without. */
  readonly target?: string | undefined;
  /** Aliases or numbers of stages that nothing is taken from the cache for. */
  readonly freshStages?: readonly string[];
  /** How many stages are built at a time; by default one, by Docker's rules one for each processor. */
  readonly jobs?: number | undefined;
  /** `--label` */
  readonly labels?: ReadonlyMap<string, string>;
}

export interface BuildTools extends ContainerTools {
  readonly store: Store;
  /** The build cache of that storage. */
  readonly cache: StateStore;
  /** The caller's environment. */
  readonly caller: ReadonlyMap<string, string>;
  /** Of directories that COPY and WORKDIR make: 0777 less the umask. */
  readonly directoryMode: number;
  readonly now: () => Date;
  readonly secrets: Secrets;
  readonly caches: CacheMounts;
  /** Whether the commands' standard error is a terminal. */
  readonly isTerminal: boolean;
  readonly processors: number;
  /** Shows the build, beside the log. */
  readonly openView?: OpenView | undefined;
  /** Gets an image from its registry into storage and cache; without, only what is there can be used. */
  readonly pull?: ((reference: ImageReference, platform?: Platform) => Promise<void>) | undefined;
}

/** What the stages of one build share. */
export interface Build {
  readonly options: BuildOptions;
  readonly tools: BuildTools;
  readonly view: BuildView | undefined;
  /** All that are built, in the file's order. */
  readonly stages: readonly PlannedStage[];
  readonly sources: Sources;
  /** The stages that are done, by number. */
  readonly finished: Map<number, Base>;
  /** Bases that are being obtained, by reference: two stages may begin with the same one. */
  readonly obtaining: Map<string, Promise<Base>>;
}
