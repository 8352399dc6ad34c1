// Binds: what every container gets of the host, and what `--bind` adds (spec ch-run §3.5, §3.6, §1.4).

import type { WhenMissing } from "../../ffi/plan.ts";
import { ChError } from "../error.ts";

/** A host path and the place in the container where it appears. */
export interface Bind {
  readonly source: string;
  readonly target: string;
}

export interface DefaultBind extends Bind {
  readonly missing: WhenMissing;
}

/** Argument of `--bind`: `SRC[:DST]`, split at the first colon. */
export function parseBind(text: string): Bind {
  const colon = text.indexOf(":");
  const source = colon < 0 ? text : text.slice(0, colon);
  const target = colon < 0 ? text : text.slice(colon + 1);
  if (source === "") throw new ChError("--bind: no source provided", { hint: FORM });
  if (target === "") throw new ChError("--bind: no destination provided", { hint: FORM });
  if (/^\/+$/.test(target)) {
    throw new ChError("--bind: destination can't be /", {
      hint: "give the directory itself as IMAGE instead",
    });
  }
  if (!target.startsWith("/")) {
    throw new ChError("--bind: destination must be absolute", { hint: FORM });
  }
  return { source, target };
}

const FORM = "--bind=SRC:DST, a path of the host and an absolute one in the container; or " +
  "--bind=SRC, an absolute path, for the same in both";

/** What is bound unasked, in order. */
export function listDefaultBinds(): DefaultBind[] {
  return [
    ...REQUIRED.map((path) => ({ source: path, target: path, missing: "fail" as const })),
    ...OPTIONAL.map((path) => ({ source: path, target: path, missing: "skip" as const })),
  ];
}

const REQUIRED = ["/dev", "/proc", "/sys"];

const OPTIONAL = [
  "/etc/hosts",
  "/etc/machine-id",
  "/etc/resolv.conf",
  // Cray
  "/var/lib/hugetlbfs",
  "/etc/opt/cray/wlm_detect",
  "/opt/cray/wlm_detect",
  "/opt/cray/alps",
  "/opt/cray/udreg",
  "/opt/cray/ugni",
  "/opt/cray/xpmem",
  "/var/opt/cray/alps",
  // Slingshot under Slurm
  "/var/spool/slurmd",
];
