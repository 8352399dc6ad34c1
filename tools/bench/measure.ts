// What all benchmarks share: commands run as the rig's user in turns, medians, ratios, and the table.

/** One thing to measure, in several ways; the first way is ours. */
export interface Row {
  readonly what: string;
  readonly runs: number;
  readonly ways: readonly Way[];
  /** The first run counts as well: it is not for warming up. */
  readonly cold?: boolean;
}
export interface Way {
  readonly name: string;
  readonly command: readonly string[];
  /** Shell command before each run, not measured. */
  readonly before?: string;
  /** Program that must be there. */
  readonly needs?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** It may take so long that it is run once, and given up after four minutes. */
  readonly isSlow?: boolean;
}

const projectRoot = new URL("../..", import.meta.url).pathname;
export const rig = ask("tools/rig.sh", "where");
export const user = ask("tools/rig.sh", "user");
/** A directory of the run's own, the user's. */
export const place = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-bench." });

/** For Debian's charliecloud: its build cache is a Git repository, and Git wants to know who commits. */
export const gitIdentity = Object.fromEntries(
  ["AUTHOR", "COMMITTER"].flatMap((role) => [
    [`GIT_${role}_NAME`, "bench"],
    [`GIT_${role}_EMAIL`, "bench@localhost"],
  ]),
);

/** Prepares, measures the rows that the words of the command line ask for and what else there is, prints,
 * and cleans up. */
export async function bench(
  prepare: () => void,
  makeRows: () => readonly Row[],
  measureMore: () => Promise<readonly Line[]> = () => Promise.resolve([]),
): Promise<void> {
  try {
    Deno.chmodSync(place, 0o755);
    if (Deno.uid() === 0) shell(`chown -R ${user}: ${place}`);
    prepare();
    const lines = makeRows().filter(isWanted).flatMap((row) => report(measureRow(row)));
    printTable([...lines, ...await measureMore()]);
  } finally {
    shell(`chmod -R u+rwx ${place}; rm -rf ${place}`);
  }
}

function ask(command: string, ...args: string[]): string {
  const { code, stdout } = new Deno.Command(command, { args, cwd: projectRoot }).outputSync();
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout).trim();
}

/** So that of a run that takes half an hour something is seen before its end. */
export function report(lines: readonly Line[]): readonly Line[] {
  for (const line of lines) console.error(line.join("  ").trimEnd());
  return lines;
}

export function isWanted(row: { readonly what: string }): boolean {
  return Deno.args.length === 0 || Deno.args.some((word) => row.what.includes(word));
}

export type Line = readonly [what: string, way: string, time: string, ratio: string];

function measureRow(row: Row): Line[] {
  const missing = row.ways.filter(({ needs }) => needs !== undefined && !exists(needs));
  const ways = row.ways.filter((way) => !missing.includes(way));
  const times = ways.map((): number[] => []);
  const failures = new Map<Way, string>();

  // Alternating, so that what else goes on in the machine hits all alike; the first round warms up.
  for (let run = row.cold ? 1 : 0; run <= row.runs; run++) {
    for (const [index, way] of ways.entries()) {
      if (failures.has(way) || (way.isSlow && run !== 1)) continue;
      const result = measureOnce(way);
      if (typeof result === "string") failures.set(way, result);
      else if (run > 0) times[index]?.push(result);
    }
  }

  const own = median(times[0] ?? []);
  return [
    ...ways.map((way, index): Line => {
      const failure = failures.get(way);
      if (failure !== undefined) return [row.what, way.name, "failed", failure];
      const time = median(times[index] ?? []);
      return [
        row.what,
        way.name,
        format(time),
        index === 0 ? "" : `ch takes ${(own / time).toFixed(2)} times that`,
      ];
    }),
    ...missing.map((way): Line => [row.what, way.name, "missing", ""]),
  ];
}

/** Seconds for one run of a slow way: a benchmark must come to its end. */
const LIMIT = 240;
/** Exit status of timeout(1). */
const TIMED_OUT = 124;

/** Milliseconds, or why it failed. */
export function measureOnce(way: Way): number | string {
  prepareRun(way);
  const begin = performance.now();
  const { code, stderr } = toCommand(way).outputSync();
  const time = performance.now() - begin;
  if (way.isSlow && code === TIMED_OUT) return `more than ${LIMIT} s`;
  return code === 0 ? time : (new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "");
}

/** Does what is to be done before a run of WAY. */
export function prepareRun({ before, command: [first], env }: Way): void {
  if (before === undefined) return;
  if (first === "root") shell(before);
  else runAsUser(["sh", "-c", before], env);
}

/** What runs WAY; its output is for who wants it. */
export function toCommand(
  { command, env, isSlow }: Way,
  output: "piped" | "null" = "piped",
): Deno.Command {
  const limit = isSlow ? ["timeout", "--kill-after=10", `${LIMIT}`] : [];
  return command[0] === "root"
    ? newCommand([...limit, ...command.slice(1)], env, output)
    : userCommand([...limit, ...command], env, output);
}

export function runAsUser(command: readonly string[], env: Way["env"] = {}) {
  return userCommand(command, env, "piped").outputSync();
}

function userCommand(
  command: readonly string[],
  env: Way["env"],
  output: "piped" | "null",
): Deno.Command {
  const drop = Deno.uid() === 0
    ? ["setpriv", `--reuid=${user}`, `--regid=${groupOfUser()}`, "--clear-groups"]
    : [];
  return newCommand([...drop, ...command], { HOME: place, USER: user, ...env }, output);
}

let group: string | undefined;
/** Asked once: what takes time here would be measured, too. */
function groupOfUser(): string {
  return group ??= ask("id", "-g", user);
}

function newCommand(
  command: readonly string[],
  env: Way["env"],
  output: "piped" | "null",
): Deno.Command {
  return new Deno.Command(command[0] as string, {
    args: command.slice(1),
    cwd: place,
    env: { PATH: `${rig}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`, ...env },
    stdin: "null",
    stdout: output,
    stderr: output,
  });
}

export function shell(script: string): void {
  newCommand(["sh", "-c", script], {}, "piped").outputSync();
}

export function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}

export function format(milliseconds: number): string {
  return milliseconds < 1000
    ? `${milliseconds.toFixed(1)} ms`
    : `${(milliseconds / 1000).toFixed(2)} s`;
}

function printTable(lines: readonly Line[]): void {
  const widths = [0, 1, 2].map((column) =>
    Math.max(...lines.map((line) => (line[column] as string).length))
  );
  let last = "";
  for (const [what, way, time, ratio] of lines) {
    const head = what === last ? "" : what;
    last = what;
    console.log(
      [
        head.padEnd(widths[0] as number),
        way.padEnd(widths[1] as number),
        time.padStart(widths[2] as number),
        ratio,
      ]
        .join("  ").trimEnd(),
    );
  }
}
