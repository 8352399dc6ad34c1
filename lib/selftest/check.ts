// The checks of ch-test, with which a site tries an installation on its own machines (spec other-tools §3).
// They are data: a script each, that tries one thing. Who runs them is cli/test_runner.ts.

import { BUILD_CHECKS } from "./build_checks.ts";
import { ROOT_EMULATION_CHECKS } from "./root_emulation_checks.ts";
import { RUN_CHECKS } from "./run_checks.ts";

export const SCOPES = ["quick", "standard", "full"] as const;
export type Scope = typeof SCOPES[number];

export const CHECKED_PHASES = ["build", "rootemu", "run"] as const;
export type CheckedPhase = typeof CHECKED_PHASES[number];

export interface Check {
  /** The smallest scope that it is part of. */
  readonly scope: Scope;
  /** What is so if it passes. */
  readonly name: string;
  /**
   * For `sh -eu` after PRELUDE, in a directory of its own. Succeeds if NAME is true; exits with SKIPPED, having
   * said why, where the machine lacks what it takes. Variables: PACK_DIR and IMG_DIR, the data directories; PACKED
   * and IMAGE, the packed image and what ch-run is to run. An earlier check of the same phase may have made what
   * it needs.
   */
  readonly script: string;
}

/** "refuse COMMAND" succeeds if COMMAND fails; with "!" before it, `sh -e` would not care. */
export const PRELUDE = `
refuse() {
    if "$@"; then return 1; fi
}
`;

/** Exit status of a check that cannot be made here, as with other test drivers. */
export const SKIPPED = 77;

const CHECKS: Readonly<Record<CheckedPhase, readonly Check[]>> = {
  build: BUILD_CHECKS,
  rootemu: ROOT_EMULATION_CHECKS,
  run: RUN_CHECKS,
};

/** Those of PHASE in SCOPE whose names contain TEXT. */
export function selectChecks(phase: CheckedPhase, scope: Scope, text = ""): readonly Check[] {
  const limit = SCOPES.indexOf(scope);
  return CHECKS[phase].filter((check) =>
    SCOPES.indexOf(check.scope) <= limit && check.name.includes(text)
  );
}

/** The phases that `all` goes through. Root emulation differs by what is built more than by the machine. */
export function listPhases(scope: Scope): readonly CheckedPhase[] {
  return CHECKED_PHASES.filter((phase) => phase !== "rootemu" || scope === "full");
}
