// What a stage knows beside its files: variables, working directory, shell, labels, history. Changed
// by instructions, whether they are executed or their result is known; becomes the image's metadata.

import type { Metadata } from "../store/metadata.ts";
import type { Action } from "./action.ts";
import { BuildVariables } from "./variables.ts";

export interface StateSources {
  /** Metadata of the base image. */
  readonly base: Metadata;
  readonly caller: ReadonlyMap<string, string>;
  /** ARG before FROM, and `FROM --arg`. */
  readonly globalArg: ReadonlyMap<string, string>;
}

export class StageState {
  readonly variables: BuildVariables;
  cwd: string;
  shell: readonly string[];
  readonly #labels: Map<string, string>;
  readonly #history: unknown[];
  readonly #base: Metadata;

  constructor({ base, caller, globalArg }: StateSources) {
    this.#base = base;
    this.variables = new BuildVariables({
      caller,
      baseArg: Object.entries(base.arg),
      baseEnv: Object.entries(base.env),
      global: globalArg,
    });
    this.cwd = joinPath("/", base.cwd);
    this.shell = base.shell;
    this.#labels = new Map(Object.entries(base.labels));
    this.#history = [...base.history];
  }

  apply(action: Action): void {
    switch (action.op) {
      case "arg":
        if (action.value !== undefined) this.variables.setArg(action.name, action.value);
        return;
      case "env":
        return this.variables.setEnv(action.name, action.value);
      case "label":
        this.#labels.set(action.name, action.value);
        return;
      case "shell":
        this.shell = action.argv;
        return;
      case "workdir":
        this.cwd = action.path;
        return;
      case "copy":
      case "run":
        return;
      default:
        action satisfies never;
    }
  }

  /** TEXT: the instruction as announced, without its options. */
  addHistory(text: string, now: Date): void {
    const created = now.toISOString().replace(/\.\d+Z$/, "Z");
    this.#history.push({ created, created_by: text });
  }

  /** The history of a state that was made earlier takes the place of ours: it has other times. */
  takeHistory({ history }: Metadata): void {
    this.#history.splice(0, this.#history.length, ...history);
  }

  toMetadata(): Metadata {
    return {
      ...this.#base,
      arg: Object.fromEntries(this.variables.savedArg),
      cwd: this.cwd,
      env: Object.fromEntries(this.variables.env),
      history: this.#history,
      labels: Object.fromEntries(this.#labels),
      shell: this.shell,
    };
  }
}

/** PATH seen from CWD: absolute, `..` kept as text. */
export function joinPath(cwd: string, path: string): string {
  if (path.startsWith("/")) return path;
  if (path === "" || path === ".") return cwd;
  return cwd.endsWith("/") ? `${cwd}${path}` : `${cwd}/${path}`;
}
