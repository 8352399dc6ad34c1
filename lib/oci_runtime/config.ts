// config.json of a bundle: what is used of it, and what is refused (spec other-tools §2.5). All else is ignored, as
// the container isolates no more than ch-run's.

import { ChError } from "../error.ts";
import { type JsonValue, parseJson } from "../oci/json_value.ts";

export interface RuntimeConfig {
  readonly args: readonly string[];
  /** "NAME=VALUE" */
  readonly environment: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  /** As given; relative to the bundle. */
  readonly root: string;
  readonly isReadOnly: boolean;
  /** What it asks for and can't have; in the words of the error. */
  readonly unsupported: string | undefined;
}

/** Throws a ChError if it can't be read, or is of a version that we do not know. */
export function parseConfig(bytes: Uint8Array): RuntimeConfig {
  const config = parseJson(bytes, "config.json");
  const version = config.member("ociVersion").text();
  if (!isKnown(version)) throw new ChError(`unsupported OCI version: ${version}`);
  const process = config.member("process"), root = config.member("root");
  const user = optional(process, "user", (value) => ({
    uid: optional(value, "uid", (id) => id.count()) ?? 0,
    gid: optional(value, "gid", (id) => id.count()) ?? 0,
  }));
  return {
    args: process.member("args").texts(),
    environment: optional(process, "env", (value) => value.texts()) ?? [],
    cwd: optional(process, "cwd", (value) => value.text()) ?? "/",
    uid: user?.uid ?? 0,
    gid: user?.gid ?? 0,
    root: root.member("path").text(),
    isReadOnly: root.member("readonly").value === true,
    unsupported: findUnsupported(config),
  };
}

/** 1.0.1 to 1.1.x: 1.0.0 was never what Buildah wrote. */
function isKnown(version: string): boolean {
  const [, major, minor, patch] = /^([0-9]+)\.([0-9]+)\.([0-9]+)(?:[-+].*)?$/.exec(version) ?? [];
  return major === "1" && ((minor === "0" && Number(patch) >= 1) || minor === "1");
}

function findUnsupported(config: JsonValue): string | undefined {
  const linux = optional(config, "linux", (value) => value);
  const namespaces = linux && optional(linux, "namespaces", (value) => value.items());
  if (config.member("process").member("terminal").value === true) return "pseudoterminals";
  if (isFilled(config, "annotations")) return "annotations";
  if (isFilled(config, "hooks")) return "hooks";
  if (namespaces?.some((each) => each.member("path").isPresent)) {
    return "joining existing namespaces";
  }
  if (linux?.member("intelRdt").isPresent) return "Intel RDT";
  return undefined;
}

function isFilled(config: JsonValue, key: string): boolean {
  const value = config.member(key);
  return value.isPresent && Object.keys(value.object()).length > 0;
}

function optional<T>(value: JsonValue, key: string, read: (value: JsonValue) => T): T | undefined {
  const member = value.member(key);
  return member.isPresent ? read(member) : undefined;
}
