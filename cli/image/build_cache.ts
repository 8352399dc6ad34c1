// ch-image build-cache: looks after the build cache.

import { collectGarbage } from "../../lib/cache/collect.ts";
import { readGraph } from "../../lib/cache/graph.ts";
import { resetCache } from "../../lib/cache/reset.ts";
import { formatSummary, summarizeCache } from "../../lib/cache/summary.ts";
import { formatTree } from "../../lib/cache/tree_view.ts";
import { ChError } from "../../lib/error.ts";
import { defineOptions, findValue, isGiven, UsageError } from "../options.ts";
import type { SubCommand } from "./sub_command.ts";

const OPTIONS = defineOptions([
  {
    long: "dot",
    argument: "optional",
    placeholder: "BASE",
    repeat: "last",
    help:
      "write the tree of states to BASE.gv for graphviz, and if that is installed to BASE.pdf; " +
      "default BASE: build-cache",
  },
  {
    long: "gc",
    argument: "none",
    repeat: "idempotent",
    help: "remove states that no image, no deleted image and no build needs",
  },
  {
    long: "gc-keep-days",
    argument: "required",
    placeholder: "DAYS",
    repeat: "last",
    help: "with --gc: states younger than that stay",
  },
  {
    long: "gc-keep-size",
    argument: "required",
    placeholder: "MIB",
    repeat: "last",
    help: "with --gc: the newest states stay as long as the files of all are not larger",
  },
  {
    long: "reset",
    argument: "none",
    repeat: "idempotent",
    help: "delete the cache, and the images that came from it",
  },
  {
    long: "tree",
    argument: "none",
    repeat: "idempotent",
    help: "print the tree of states",
  },
]);

export const buildCache: SubCommand<typeof OPTIONS[number]["long"]> = {
  name: "ch-image build-cache",
  summary: "Print a summary of the build cache; look after it",
  options: OPTIONS,
  positionals: [],
  async run(context, args) {
    const { log, settings, signal } = context;
    if (settings.cacheMode === "disabled") {
      throw new ChError("build-cache subcommand invalid with build cache disabled");
    }
    const days = readNumber("--gc-keep-days", findValue(args, "gc-keep-days"));
    const mebibytes = readNumber("--gc-keep-size", findValue(args, "gc-keep-size"));
    const store = context.openStore();
    if (isGiven(args, "reset")) await resetCache(store, { log, signal });
    const cache = context.openCache();
    if (isGiven(args, "gc")) {
      await collectGarbage(cache, {
        keepYounger: days && days * 24 * 3600,
        keepBytes: mebibytes && mebibytes * 2 ** 20,
      });
    }
    const verbose = settings.verbosity > 0;
    if (isGiven(args, "tree")) {
      for (const line of formatTree(readGraph(store), { verbose })) context.print(line);
      context.print("");
    }
    if (isGiven(args, "dot")) {
      const { writeDot } = await import("./build_cache_dot.ts");
      const search = context.environment.get("PATH") ?? "";
      writeDot(readGraph(store), findValue(args, "dot") || "build-cache", search);
    }
    const summary = await summarizeCache(cache);
    for (const line of formatSummary(summary)) context.print(line);
    if (verbose) {
      context.print(`files of states: ${summary.objects}, ${summary.objectBytes} bytes`);
    }
    return 0;
  },
};

function readNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new UsageError(`argument ${option}: invalid value: '${text}'`);
}
