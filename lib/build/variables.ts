// The variables of a build: ARG and ENV of the image so far, and what of the caller's environment
// shows through (spec dockerfile §4.2).

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
}

/** ARG and ENV as they are now. ENV always wins, whichever came first. */
export class BuildVariables {
  readonly #arg: Map<string, string>;
  readonly #env: Map<string, string>;

  constructor(sources: VariableSources) {
    const passed = [...sources.caller].filter(([name]) => PASSED_THROUGH.has(name));
    this.#arg = new Map([...sources.baseArg, ...passed, ...sources.global]);
    this.#env = new Map(sources.baseEnv);
  }

  find(name: string): string | undefined {
    return this.#env.get(name) ?? this.#arg.get(name);
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
    return new Map([...this.#arg].filter(([name]) => !PASSED_THROUGH.has(name)));
  }

  get env(): ReadonlyMap<string, string> {
    return this.#env;
  }
}
