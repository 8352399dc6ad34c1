// A plan as text, one step a line, for `-vv` and for tests.

import type { Plan, Step } from "../../ffi/plan.ts";
import { formatArgv } from "./argv_text.ts";

/** A line for each step, each with a newline at its end. */
export function formatPlan(plan: Plan): string {
  return plan.steps.map((step) => `${escapeControls(formatStep(step))}\n`).join("");
}

/** A newline in a name would look like another step. */
function escapeControls(text: string): string {
  const escape = (char: string) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return text.replace(CONTROL, escape);
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f]/g;

function formatStep(step: Step): string {
  switch (step.op) {
    case "log":
      return `log ${step.text}`;
    case "user_namespace": {
      const { insideUid, outsideUid, insideGid, outsideGid, mounts } = step;
      const map = `uid ${insideUid}=${outsideUid} gid ${insideGid}=${outsideGid}`;
      return join("user_namespace", map, mounts && "mounts");
    }
    case "squashfs":
      return join("squashfs", step.image, "at", step.mountPoint);
    case "scratch":
      return join("scratch", step.on);
    case "root":
      return join("root", step.image, step.readOnly && "read-only");
    case "overlay":
      return formatOverlay(step);
    case "bind":
      return join("bind", step.source, "at", step.target, step.missing, step.ranch && "ranch");
    case "file":
      return join(
        "file",
        step.name,
        "at",
        step.target,
        `mode ${step.mode.toString(8)}`,
        `${step.content.length} bytes`,
      );
    case "tmpfs":
      return join("tmpfs", step.target, step.options !== "" && step.options);
    case "seccomp":
      return join("seccomp", `${step.program.length / 8} instructions`);
    case "chdir":
      return join("chdir", step.path);
    case "silence":
      return join("silence", step.stdout && "stdout", step.stderr && "stderr");
    case "pivot":
    case "supervise":
    case "join_finish":
    case "no_new_privs":
      return step.op;
    case "exec":
      return join(
        `exec ${formatArgv(step.argv)}`,
        `(search ${step.search},`,
        `${step.env.length} variables)`,
      );
    case "run":
      return `run ${formatArgv(step.argv)}`;
    case "directory":
      return join("directory", step.path, `mode ${step.mode.toString(8)}`);
    case "join_begin":
      return join("join_begin", step.tag, `of ${step.count}`);
    case "join_pid":
      return join("join_pid", `${step.pid}`);
    case "hold":
      return join("hold", step.file, "for", step.name);
    default:
      return step satisfies never;
  }
}

function formatOverlay(step: Step & { op: "overlay" }): string {
  if ("size" in step) {
    return join("overlay", `size=${step.size}`, step.needXattrs === true && "xattrs");
  }
  if ("directory" in step) return join("overlay", `kept=${step.directory}`);
  return join("overlay", `upper=${step.upper}`, `work=${step.work}`);
}

/** Words that are there, separated by blanks. */
function join(...words: readonly (string | false)[]): string {
  return words.filter((word) => word !== false).join(" ");
}
