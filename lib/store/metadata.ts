// What an image knows about itself beside its files: ch/metadata.json and ch/environment inside it
// (spec ch-image §7). Reading and writing the text; lib/store/metadata_files.ts knows the files.

import { ChError } from "../error.ts";

/** Keys this version does not know are kept. */
export interface Metadata {
  /** Registry's name of the architecture, without variant. */
  readonly arch: string;
  /** Build arguments, inherited by images built on this one. */
  readonly arg: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly history: readonly unknown[];
  readonly labels: Readonly<Record<string, string>>;
  readonly shell: readonly string[];
  readonly volumes: readonly string[];
  readonly [other: string]: unknown;
}

/** Arguments that every image has, unless it says otherwise. */
export const DEFAULT_ARG = {
  FAKEROOTDONTTRYCHOWN: "1",
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  TAR_OPTIONS: "--no-same-owner",
};

export function defaultMetadata(): Metadata {
  return {
    arch: hostArchitecture(),
    arg: DEFAULT_ARG,
    cwd: "/",
    env: {},
    history: [],
    labels: {},
    shell: ["/bin/sh", "-c"],
    volumes: [],
  };
}

/** TEXT of metadata.json; what is missing gets its default. FILE is for messages. */
export function parseMetadata(text: string, file: string): Metadata {
  const fail = (line: number, reason: string) =>
    new ChError(`can’t parse JSON: ${file}:${line}: ${reason}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    throw fail(findLine(message, text), message);
  }
  if (!isObject(value)) throw fail(1, "not an object");
  const defaults = defaultMetadata();
  for (const [key, isValid] of Object.entries(CHECKS)) {
    if (value[key] !== undefined && value[key] !== null && !isValid(value[key])) {
      throw fail(lineOfKey(text, key), `bad value of ${key}`);
    }
    if (value[key] === null) delete value[key];
  }
  const arg = { ...DEFAULT_ARG, ...value.arg as Metadata["arg"] | undefined };
  return { ...defaults, ...value, arg };
}

export function formatMetadata(metadata: Metadata): string {
  return JSON.stringify(sortKeys(metadata), undefined, 2) + "\n";
}

/** Text of ch/environment. Variables whose value has a newline have no place there: see LOST. */
export function formatEnvironment(
  env: Metadata["env"],
): { readonly text: string; readonly lost: readonly string[] } {
  const names = Object.keys(env).sort();
  const lost = names.filter((name) => env[name]!.includes("\n"));
  const lines = names.filter((name) => !lost.includes(name)).map((name) => `${name}=${env[name]}`);
  return { text: lines.join("\n") + "\n", lost };
}

/** As registries call it, without variant. */
export function hostArchitecture(): string {
  switch (Deno.build.arch) {
    case "x86_64":
      return "amd64";
    case "aarch64":
      return "arm64";
    default:
      return Deno.build.arch satisfies never;
  }
}

const isString = (value: unknown): value is string => typeof value === "string";
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isStringList = (value: unknown) => Array.isArray(value) && value.every(isString);
const isStringMap = (value: unknown) => isObject(value) && Object.values(value).every(isString);

const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  arch: isString,
  arg: isStringMap,
  cwd: isString,
  env: isStringMap,
  history: Array.isArray,
  labels: isStringMap,
  shell: isStringList,
  volumes: isStringList,
};

/** V8 names the line, or else the position, or else it is the end that is missing. */
function findLine(message: string, text: string): number {
  const line = /\(line (\d+) /.exec(message)?.[1];
  if (line !== undefined) return Number(line);
  const position = /position (\d+)/.exec(message)?.[1];
  return text.slice(0, position === undefined ? undefined : Number(position)).split("\n").length;
}

function lineOfKey(text: string, key: string): number {
  return text.slice(0, Math.max(0, text.indexOf(`"${key}"`))).split("\n").length;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([k, v]) => [k, sortKeys(v)]),
  );
}
