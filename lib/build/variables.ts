// The variables of a build: ARG and ENV of the image so far, and what of the caller's environment
// shows through (spec dockerfile §4.2).

import type { Dialect } from "../dockerfile/dialect.ts";
import { DEFAULT_ARG } from "../store/metadata.ts";

/** Seen by every build if the caller has them, without ARG, and never saved in an image. */
export const PASSED_THROUGH: ReadonlySet<string> = new Set([
  "HTTP_PROXY",
  "http_proxy",
  "HTTPS_PROXY",
  "https_proxy",
  "FTP_PROXY",
  "ftp_proxy",
  "NO_PROXY",
  "no_proxy",
  "SSH_AUTH_SOCK",
  "USER",
]);

/** What a stage starts with; later sources of ARG win. */
export interface VariableSources {
  readonly caller: ReadonlyMap<string, string>;
  /** ARG and ENV saved in the base image. */
  readonly baseArg: Iterable<readonly [string, string]>;
  readonly baseEnv: Iterable<readonly [string, string]>;
  /** ARG before FROM, and `FROM --arg`. */
  readonly global: Iterable<readonly [string, string]>;
  /** Known to those who ask for them by ARG without a value. */
  readonly platform: ReadonlyMap<string, string>;
  readonly rules: Dialect["rules"];
}

/** ARG and ENV as they are now. ENV always wins, whichever came first. */
export class BuildVariables {
  readonly #arg: Map<string, string>;
  readonly #env: Map<string, string>;
  /** What `ARG NAME` without a value finds. */
  readonly #offered: ReadonlyMap<string, string>;
  /** In Docker's rules an ARG is nobody's business but its own stage's. */
  readonly #saved: ReadonlyMap<string, string> | undefined;

  constructor(sources: VariableSources) {
    const passed = [...sources.caller].filter(([name]) => PASSED_THROUGH.has(name));
    const isDocker = sources.rules === "docker";
    const base = [...sources.baseArg];
    const begin = isDocker ? base.filter(([name]) => Object.hasOwn(DEFAULT_ARG, name)) : base;
    this.#arg = new Map([...begin, ...passed, ...isDocker ? [] : sources.global]);
    this.#env = new Map(sources.baseEnv);
    this.#offered = new Map([...sources.platform, ...isDocker ? sources.global : []]);
    this.#saved = isDocker ? new Map(base) : undefined;
  }

  find(name: string): string | undefined {
    return this.#env.get(name) ?? this.#arg.get(name);
  }

  /** Value of an ARG that has none of its own; undefined if there is none either, or one already. */
  findOffered(name: string): string | undefined {
    return this.#arg.has(name) ? undefined : this.#offered.get(name);
  }

  setArg(name: string, value: string): void {
    this.#arg.set(name, value);
  }

  setEnv(name: string, value: string): void {
    this.#env.set(name, value);
  }

  /** `NAME=VALUE` of all, for RUN. */
  list(): string[] {
    return [...new Map([...this.#arg, ...this.#env])].map(([name, value]) => `${name}=${value}`);
  }

  /** ARG as saved in the image. */
  get savedArg(): ReadonlyMap<string, string> {
    return this.#saved ??
      new Map([...this.#arg].filter(([name]) => !PASSED_THROUGH.has(name)));
  }

  get env(): ReadonlyMap<string, string> {
    return this.#env;
  }
}
