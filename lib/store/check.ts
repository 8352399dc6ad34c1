// Whether a directory is a storage directory of ours, and in order (spec ch-image §4.3).

import { ChError } from "../error.ts";
import {
  DOWNLOADS,
  IMAGES,
  OPTIONAL,
  REQUIRED,
  STORE_VERSION,
  UPGRADABLE,
  VERSION_FILE,
} from "./layout.ts";

/** The cheap checks, before locking: is this a storage at all, and of a format that we know? Which one. */
export function checkVersion(path: string): number {
  const names = [...Deno.readDirSync(path)].map(({ name }) => name);
  if (!names.includes(IMAGES) || !names.includes(DOWNLOADS)) {
    const baseName = path.split("/").findLast((part) => part !== "");
    throw new ChError(
      `storage directory seems invalid: ${path}`,
      names.length === 0 ? { hint: `let Charliecloud create ${baseName}; see FAQ` } : {},
    );
  }
  const version = names.includes(VERSION_FILE) ? readVersion(path) : 1;
  if (version === STORE_VERSION || UPGRADABLE.includes(version)) return version;
  throw new ChError(`incompatible storage directory v${version}: ${path}`, {
    hint: "you can delete and re-initialize with “ch-image reset”",
  });
}

/** The strict checks, once nobody else changes it. */
export function checkEntries(path: string): void {
  const names = [...Deno.readDirSync(path)].map(({ name }) => name);
  const missing = REQUIRED.find((name) => !names.includes(name));
  if (missing !== undefined) {
    throw new ChError(`invalid storage directory: missing file or directory: ${missing}`);
  }
  const known = [...REQUIRED, ...OPTIONAL];
  const unknown = names.filter((name) => !known.includes(name)).sort();
  if (unknown.length > 0) {
    throw new ChError(`invalid storage directory: extraneous file(s): ${unknown.join(" ")}`);
  }
  for (const { name } of Deno.readDirSync(`${path}/${IMAGES}`)) {
    if (!name.includes(":")) continue;
    throw new ChError(
      `invalid storage directory: storage directory broken: bad image dir name: ${name}`,
      { hint: "please report this bug" },
    );
  }
}

function readVersion(path: string): number {
  const text = Deno.readTextFileSync(`${path}/${VERSION_FILE}`).replace(/\n$/, "");
  if (/^\s*[+-]?\d+\s*$/.test(text)) return Number(text);
  throw new ChError(`malformed storage version: "${text}"`);
}
