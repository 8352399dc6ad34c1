// The container of a bundle as a plan: that of `ch-run --uid --gid --cd --no-passwd --seccomp --unset-env=*
// --set-env0=FILE`, supervised, so that nothing it leaves behind holds Buildah's pipes open.

import type { Plan } from "../../ffi/plan.ts";
import type { Host } from "../container/host.ts";
import { planRun } from "../container/plan.ts";
import type { Log } from "../log/log.ts";
import type { RuntimeConfig } from "./config.ts";

/** The command's variables: the configuration's, with a directory for replacements first in PATH. */
export function listVariables({ environment }: RuntimeConfig): string[] {
  return [
    ...environment.map((entry) => entry.replace(/^PATH=/, "PATH=/ch/bin:")),
    "TAR_OPTIONS=--no-same-owner",
  ];
}

/** ROOT is the absolute path of the root file system. */
export function planContainer(
  config: RuntimeConfig,
  root: string,
  { host, log, verbosity }: { readonly host: Host; readonly log: Log; readonly verbosity: number },
): Plan {
  const assignments = listVariables(config).map((entry) => {
    const at = entry.indexOf("=");
    return at < 0
      ? { name: entry, value: "" }
      : { name: entry.slice(0, at), value: entry.slice(at + 1) };
  });
  const plan = planRun(
    {
      program: "ch-run",
      verbosity,
      argv: config.args,
      cwd: config.cwd,
      imageCommand: false,
      uid: config.uid,
      gid: config.gid,
      binds: [],
      home: undefined,
      user: "root",
      privateTmp: false,
      passwd: false,
      seccomp: true,
      write: !config.isReadOnly,
      overlaySize: undefined,
      overlayDir: undefined,
      environment: [{ op: "unset", glob: "*" }, { op: "set", assignments }],
      expand: false,
      join: undefined,
    },
    { type: "directory", root },
    host,
    { warning: (text) => log.warning(text), warnings: "" },
  );
  return { ...plan, steps: [{ op: "supervise" }, ...plan.steps] };
}
