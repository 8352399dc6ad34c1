// Can this kernel, for this user, lay an overlay on this file system? There is no telling but by trying:
// it depends on the kernel's version, on security modules, and on the file system's type.

import type { Plan } from "../../ffi/plan.ts";
import { planNamespaces, STATUS_EXEC, STATUS_FAIL } from "../container/plan.ts";
import { findScratch } from "../container/plan.ts";
import { type ContainerTools, spawnAndWait } from "./container.ts";
import { DIRECT } from "./output.ts";

/** Tries it in DIRECTORY, which is empty, and has to be removed with all that is in it afterwards. */
export async function probeOverlay(
  directory: string,
  tools: Pick<ContainerTools, "host" | "spawn" | "signal">,
): Promise<boolean> {
  const [image, upper, work] = ["lower", "upper", "work"].map((name) => `${directory}/${name}`);
  for (const path of [image!, upper!, work!]) Deno.mkdirSync(path);
  const { host } = tools;
  const plan: Plan = {
    program: "ch-run",
    image: image!,
    verbosity: -3,
    warnings: "",
    statusFail: STATUS_FAIL,
    statusExec: STATUS_EXEC,
    steps: [
      { op: "silence", stdout: false, stderr: true },
      { op: "supervise" },
      ...planNamespaces({ uid: 0, gid: 0 }, { type: "directory", root: image! }, host),
      { op: "scratch", on: findScratch(host) },
      { op: "root", image: image!, readOnly: false },
      { op: "overlay", upper: upper!, work: work! },
      // Nothing of that name can be executed: who gets here, got the overlay.
      { op: "exec", argv: [""], env: [], search: "" },
    ],
  };
  const { status } = await spawnAndWait(plan, { ...tools, output: DIRECT });
  return status === STATUS_EXEC;
}
