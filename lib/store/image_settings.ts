// How an image is to be run, as its Dockerfile or its registry says: the part of an OCI image
// configuration that ch-image's own metadata have no key for. It is kept in ch/metadata.json as
// "config", with the names of the OCI image specification (config.md); where metadata lack it, the
// registry's in ch/config.pulled.json counts.

/** A check as Docker has it; times in nanoseconds. */
export interface Healthcheck {
  readonly Test: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

export interface ImageSettings {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Readonly<Record<string, never>>>>;
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly StopSignal?: string;
  readonly Healthcheck?: Healthcheck;
  readonly OnBuild?: readonly string[];
}

/** What of VALUE, which comes from outside, is in order; null and unknown keys are left out. */
export function pickSettings(value: unknown): ImageSettings {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(CHECKS).flatMap(([key, isValid]) =>
      isValid(value[key]) ? [[key, value[key]]] : []
    ),
  );
}

const isString = (value: unknown) => typeof value === "string" && !value.includes("\0");
const isStringList = (value: unknown) => Array.isArray(value) && value.every(isString);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const CHECKS: Readonly<Record<keyof ImageSettings, (value: unknown) => boolean>> = {
  User: isString,
  ExposedPorts: isObject,
  Entrypoint: isStringList,
  Cmd: isStringList,
  StopSignal: isString,
  Healthcheck: (value) => isObject(value) && isStringList(value["Test"]),
  OnBuild: isStringList,
};

export const SETTINGS = Object.keys(CHECKS) as readonly (keyof ImageSettings)[];
