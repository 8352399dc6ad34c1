// One line of a diagnosis.

import type { Ability } from "../container/abilities.ts";

export type Finding = Ability;

export function works(name: string, purpose: string, detail: string): Finding {
  return { name, purpose, state: "ok", detail };
}

export function absent(name: string, purpose: string, detail: string): Finding {
  return { name, purpose, state: "none", detail };
}

export function lacks(name: string, purpose: string, reason: string, remedy: string): Finding {
  return { name, purpose, state: "missing", reason, errno: 0, file: "doctor", line: 0, remedy };
}
