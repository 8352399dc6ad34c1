// The environment of the command in the container (spec ch-run §5): the caller's, with a few changes
// of ours and then the user's.

import { type Assignment, expandValue, parseAssignments, type Separator } from "./assignments.ts";
import { matchGlob } from "./glob.ts";
import { findVariable, setVariable, unsetVariables } from "./variables.ts";

/** One `--set-env`, `--set-env0` or `--unset-env`. */
export type EnvironmentChange =
  | { readonly op: "set"; readonly assignments: readonly Assignment[] }
  /** `--device`: nothing expanded. */
  | { readonly op: "set-plain"; readonly assignments: readonly Assignment[] }
  /** Bare `--set-env`: /ch/environment of the image. */
  | { readonly op: "image"; readonly separator: Separator }
  /** `--image-env`: what the image says, nothing expanded. */
  | { readonly op: "image-defaults" }
  | { readonly op: "unset"; readonly glob: string };

export interface EnvironmentRequest {
  /** The caller's. */
  readonly base: readonly string[];
  readonly home: string;
  /** `TMPDIR` stays; else it goes, because its directory is /tmp in the container. */
  readonly keepTmpdir: boolean;
  readonly changes: readonly EnvironmentChange[];
  readonly expand: boolean;
  /** Reads /ch/environment of the container. */
  readonly readImageFile: () => Uint8Array;
  readonly readImageDefaults: () => readonly Assignment[];
}

export interface ContainerEnvironment {
  readonly entries: readonly string[];
  /** What `-v` shows. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

export const IMAGE_FILE = "/ch/environment";

export function planEnvironment(request: EnvironmentRequest): ContainerEnvironment {
  const entries = [...request.base];
  const notes: string[] = [];
  const warnings: string[] = [];

  setVariable(entries, "HOME", request.home);
  const path = findVariable(entries, "PATH");
  if (path === undefined) {
    warnings.push("$PATH not set");
  } else if (!path.startsWith("/bin") && !path.includes(":/bin")) {
    setVariable(entries, "PATH", `${path}:/bin`);
    notes.push(`new $PATH: ${path}:/bin`);
  }
  if (!request.keepTmpdir) unsetVariables(entries, (name) => name === "TMPDIR");
  for (const change of request.changes) applyChange(change, request, entries, notes);
  setVariable(entries, "CH_RUNNING", "Weird Al Yankovic");
  return { entries, notes, warnings };
}

function applyChange(
  change: EnvironmentChange,
  request: EnvironmentRequest,
  entries: string[],
  notes: string[],
): void {
  switch (change.op) {
    case "set":
      return applyAssignments(change.assignments, request.expand);
    case "set-plain":
      return applyAssignments(change.assignments, false);
    case "image":
      return applyAssignments(
        parseAssignments(request.readImageFile(), change.separator, IMAGE_FILE),
        request.expand,
      );
    case "image-defaults":
      return applyAssignments(request.readImageDefaults(), false);
    case "unset": {
      const removed = unsetVariables(entries, (name) => matchGlob(change.glob, name));
      notes.push(...removed.map((name) => `environment: unset ${name}`));
      return;
    }
    default:
      change satisfies never;
  }

  function applyAssignments(assignments: readonly Assignment[], expand: boolean): void {
    for (const { name, value } of assignments) {
      const final = expand ? expandValue(value, (other) => findVariable(entries, other)) : value;
      setVariable(entries, name, final);
      notes.push(`environment: ${name}=${final}`);
    }
  }
}
