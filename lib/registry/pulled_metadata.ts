// An image's metadata, as a registry's configuration has them (spec ch-image §7, §11.2).

import { ChError } from "../error.ts";
import { JsonValue, parseJson } from "../oci/json_value.ts";
import { defaultMetadata, type Metadata } from "../store/metadata.ts";

/** BYTES are the configuration blob. Throws a ChError that says what is wrong with it. */
export function readPulledMetadata(bytes: Uint8Array): Metadata {
  const root = parseJson(bytes, "can’t parse config");
  if (!Object.hasOwn(root.object(), "config")) throw new ChError("config missing key 'config'");
  const defaults = defaultMetadata();
  const history = root.member("history"), architecture = root.member("architecture");
  const config = root.member("config");
  const find = <T>(key: string, read: (value: JsonValue) => T): T | undefined => {
    if (!config.isPresent) return undefined;
    const value = config.member(key);
    return value.isPresent ? read(value) : undefined;
  };
  const cwd = find("WorkingDir", (value) => value.text());
  const shell = find("Shell", (value) => value.texts());
  return {
    ...defaults,
    arch: architecture.isPresent ? architecture.text() || defaults.arch : defaults.arch,
    cwd: cwd ? cwd.startsWith("/") ? cwd : `/${cwd}` : defaults.cwd,
    env: find("Env", readEnvironment) ?? defaults.env,
    history: history.isPresent ? history.items().map((entry) => entry.object()) : [],
    labels: find("Labels", (value) => value.textMap()) ?? defaults.labels,
    shell: shell !== undefined && shell.length > 0 ? shell : defaults.shell,
    volumes: find("Volumes", (value) => Object.keys(value.object())) ?? defaults.volumes,
  };
}

function readEnvironment(list: JsonValue): Record<string, string> {
  return Object.fromEntries(
    list.texts().map((line) => {
      const at = line.indexOf("=");
      if (at < 1) throw new ChError(`can’t parse config: bad Env line: ${line}`);
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
