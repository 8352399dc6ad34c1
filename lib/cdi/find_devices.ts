// Devices by their qualified names, `vendor.com/class=name`, in the specifications of this host.

import { ChError } from "../error.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { type CdiSpec, type Edits, readSpec } from "./spec.ts";
import { parseYaml } from "./yaml.ts";

export interface CdiHost {
  /** Names in a directory, sorted; undefined if there is none. */
  listNames(path: string): readonly string[] | undefined;
  readFile(path: string): Uint8Array;
}

/** What is in the second is newer: it is made when the machine starts. */
const DIRECTORIES = ["/etc/cdi", "/var/run/cdi"];

/** All that containers need for the devices NAMES, in their order; what a file says for all of its devices comes
 * once. Throws a ChError if a name is none, or nothing has it. */
export function findDevices(names: readonly string[], host: CdiHost): Edits[] {
  if (names.length === 0) return [];
  const kinds = names.map((name) => parseName(name));
  const specs = readSpecs(host);
  const used = new Set<CdiSpec>();
  return kinds.flatMap(({ kind, device, name }) => {
    const spec = specs.findLast((each) => each.kind === kind && each.devices.has(device));
    if (spec === undefined) throw noDevice(name, specs);
    const first = used.has(spec) ? [] : [spec.edits];
    used.add(spec);
    return [...first, spec.devices.get(device)!];
  });
}

function parseName(name: string) {
  const [, kind, device] =
    /^([A-Za-z0-9][\w.-]*\/[A-Za-z][\w-]*)=([A-Za-z0-9][\w.:-]*)$/.exec(name) ?? [];
  if (kind === undefined || device === undefined) {
    throw new ChError(`--device: not a device name: ${name}`, {
      hint: "names are VENDOR/CLASS=NAME, such as nvidia.com/gpu=0",
    });
  }
  return { kind, device, name };
}

function noDevice(name: string, specs: readonly CdiSpec[]): ChError {
  const known = specs.flatMap(({ kind, devices }) =>
    [...devices.keys()].map((each) => `${kind}=${each}`)
  );
  const hint = known.length === 0
    ? `there is no specification of devices in ${DIRECTORIES.join(" or ")}; NVIDIA's is made by ` +
      '"nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"'
    : `this host has ${[...new Set(known)].join(" ")}`;
  return new ChError(`--device: no such device: ${name}`, { hint });
}

function readSpecs(host: CdiHost): CdiSpec[] {
  return DIRECTORIES.flatMap((directory) =>
    (host.listNames(directory) ?? []).filter((name) => /\.(?:json|ya?ml)$/.test(name))
      .map((name) => readFile(`${directory}/${name}`, host))
  );
}

function readFile(path: string, host: CdiHost): CdiSpec {
  const file = displayOsString(path);
  const text = new TextDecoder().decode(host.readFile(path));
  if (!path.endsWith(".json")) return readSpec(parseYaml(text, file), file);
  try {
    return readSpec(JSON.parse(text), file);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ChError(`${file}: not JSON: ${error.message}`);
  }
}
