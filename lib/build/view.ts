// What a build tells of its course beside its log, for whoever shows it or keeps a record: data only.

import type { Log } from "../log/log.ts";
import type { Output } from "./output.ts";

interface InstructionEvent {
  /** The stage's name in FROM, or its number. */
  readonly stage: string;
  /** In the Dockerfile; less than 1 for what stands in none. */
  readonly line: number;
  /** As announced, e.g. "RUN.S make". */
  readonly instruction: string;
}

export type BuildEvent =
  | {
    readonly event: "build";
    readonly image: string;
    readonly file: string;
    /** How many are going to be built. */
    readonly stages: number;
  }
  | {
    readonly event: "stage";
    readonly stage: string;
    readonly base: string;
    /** Name that the stage gets in storage. */
    readonly image: string;
  }
  /** In a dry run, instead of anything else. */
  | { readonly event: "planned" } & InstructionEvent
  /** The result was known. */
  | { readonly event: "cached" } & InstructionEvent & WithState
  /** It is carried out. Ends with one of the following three. */
  | { readonly event: "begin" } & InstructionEvent
  | { readonly event: "done"; readonly seconds: number } & InstructionEvent & WithState
  | { readonly event: "failed"; readonly seconds: number } & InstructionEvent & WithReason
  /** Another stage failed, or the build was told to stop. */
  | { readonly event: "canceled"; readonly seconds: number } & InstructionEvent
  | { readonly event: "stage-done"; readonly stage: string; readonly seconds: number } & WithState
  | {
    readonly event: "result";
    readonly image: string;
    readonly instructions: number;
    readonly seconds: number;
  } & WithState;

interface WithState {
  /** Identity of the state in the build cache; undefined without one. */
  readonly sid: string | undefined;
}

interface WithReason {
  readonly message: string;
  readonly hint: string | undefined;
}

/** One that is watching a build. */
export interface BuildView {
  /** Whether it shows instructions: then the log is silent about them. */
  readonly showsInstructions: boolean;
  /** Called as things happen; must not throw. */
  readonly report: (event: BuildEvent) => void;
  /** Where a stage's messages and its commands' output go. */
  readonly openVoice: (stage: string) => { readonly log: Log; readonly output: Output };
}

/** What there is to see. */
export interface BuildOutline {
  /** Whether stages are built at the same time. */
  readonly isParallel: boolean;
  readonly stages: number;
  readonly image: string;
}

/** Called when it is known what is going to be built; undefined if the log alone will do. */
export type OpenView = (outline: BuildOutline) => (BuildView & Disposable) | undefined;
