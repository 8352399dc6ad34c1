// What a stage knows beside its files: variables, working directory, shell, labels, history. Changed
// by instructions, whether they are executed or their result is known; becomes the image's metadata.

import type { Dialect } from "../dockerfile/dialect.ts";
import { substituteInText, substituteVariables } from "../dockerfile/substitute.ts";
import { type ImageSettings, pickSettings } from "../store/image_settings.ts";
import type { Metadata } from "../store/metadata.ts";
import type { Action } from "./action.ts";
import { applySetting, type SettingChange } from "./settings.ts";
import { BuildVariables } from "./variables.ts";

export interface StateSources {
  /** Metadata of the base image. */
  readonly base: Metadata;
  readonly caller: ReadonlyMap<string, string>;
  /** ARG before FROM, and `FROM --arg`. */
  readonly globalArg: ReadonlyMap<string, string>;
  readonly platformArg: ReadonlyMap<string, string>;
  readonly dialect: Dialect;
}

export class StageState {
  readonly variables: BuildVariables;
  cwd: string;
  shell: readonly string[];
  readonly dialect: Dialect;
  readonly #labels: Map<string, string>;
  readonly #history: unknown[];
  readonly #base: Metadata;
  #settings: ImageSettings;
  /** Whether CMD was set here and not by the base image. */
  #isCmdOwn = false;
  #author: string | undefined;
  readonly #volumes: Set<string>;

  constructor({ base, caller, globalArg, platformArg, dialect }: StateSources) {
    this.dialect = dialect;
    this.#base = base;
    this.variables = new BuildVariables({
      caller,
      baseArg: Object.entries(base.arg),
      baseEnv: Object.entries(base.env),
      global: globalArg,
      platform: platformArg,
      rules: dialect.rules,
    });
    this.cwd = joinPath("/", base.cwd);
    this.shell = base.shell;
    this.#labels = new Map(Object.entries(base.labels));
    this.#history = [...base.history];
    this.#settings = pickSettings(base["config"]);
    this.#volumes = new Set(base.volumes);
  }

  /** Instructions that the base image put off for images built on it. */
  get triggers(): readonly string[] {
    return pickSettings(this.#base["config"]).OnBuild ?? [];
  }

  /** They have been executed, or shall not be: what is built on this image has nothing to do with them. */
  dropTriggers(): void {
    const { OnBuild: _, ...rest } = this.#settings;
    this.#settings = rest;
  }

  /** TEXT with the variables of the moment. */
  substitute(text: string): string {
    return substituteVariables(text, (name) => this.variables.find(name), this.dialect);
  }

  /** The same for the content of a here-document. */
  substituteText(text: string): string {
    return substituteInText(text, (name) => this.variables.find(name), this.dialect);
  }

  apply(action: Action): void {
    switch (action.op) {
      case "arg":
        if (action.value !== undefined) this.variables.setArg(action.name, action.value);
        return;
      case "configure":
        return this.#configure(action.change);
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
      case "rsync":
      case "run":
        return;
      default:
        action satisfies never;
    }
  }

  #configure(change: SettingChange): void {
    this.#settings = applySetting(this.#settings, change, this.#isCmdOwn);
    if (change.name === "CMD") this.#isCmdOwn = true;
    if (change.name === "MAINTAINER") this.#author = change.text;
    if (change.name === "VOLUME") change.added.forEach((path) => this.#volumes.add(path));
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
      ...this.#author === undefined ? {} : { author: this.#author },
      arg: Object.fromEntries(this.variables.savedArg),
      // An image that says nothing of it gets no key for it: ch-run would take it for an answer.
      ...Object.keys(this.#settings).length > 0 || this.#base["config"] !== undefined
        ? { config: this.#settings }
        : {},
      cwd: this.cwd,
      env: Object.fromEntries(this.variables.env),
      history: this.#history,
      labels: Object.fromEntries(this.#labels),
      shell: this.shell,
      volumes: [...this.#volumes],
    };
  }
}

/** PATH seen from CWD: absolute, `..` kept as text. */
export function joinPath(cwd: string, path: string): string {
  if (path.startsWith("/")) return path;
  if (path === "" || path === ".") return cwd;
  return cwd.endsWith("/") ? `${cwd}${path}` : `${cwd}/${path}`;
}
