// The most memory that a command and what it starts hold at any time: resident sets, summed up, looked at
// many times a second. Pages that processes share count in each of them.

/** Milliseconds between two looks. */
const INTERVAL = 10;

/** KiB while COMMAND runs; undefined if it fails. */
export async function measurePeak(command: Deno.Command): Promise<number | undefined> {
  const child = command.spawn();
  let peak = 0;
  let isRunning = true;
  const ended = child.status.then(({ success }) => {
    isRunning = false;
    return success;
  });
  while (isRunning) {
    peak = Math.max(peak, residentSize(child.pid));
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
  return await ended ? peak : undefined;
}

function residentSize(pid: number): number {
  const own = Number(/^VmRSS:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
  return listThreads(pid)
    .flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).split(" "))
    .filter((word) => word !== "")
    .reduce((sum, child) => sum + residentSize(Number(child)), own);
}

function listThreads(pid: number): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  } catch {
    return []; // it has ended
  }
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return "";
  }
}
