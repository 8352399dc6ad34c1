// Why a trial failed, read from what init printed.

/** A failure in words and numbers. */
export interface TrialFailure {
  /** What failed, with the system's reason. */
  readonly reason: string;
  /** errno; 0 if it has none. */
  readonly errno: number;
  /** Where in the source. */
  readonly file: string;
  readonly line: number;
  /** What to do about it. */
  readonly remedy: string | undefined;
}

/** MESSAGES: `NAME[PID]: error: TEXT (FILE:LINE[ ERRNO])`, perhaps with a hint after it. Undefined if
 * there is no error among them. */
export function parseTrialFailure(messages: string): TrialFailure | undefined {
  const match = /^.*?\]: error: (.*) \(([^:()]*):(\d+)(?: (\d+))?\)$/m.exec(messages);
  if (match === null) return undefined;
  const [, reason, file, line, errno = "0"] = match;
  const hint = /^.*?\]: hint: (.*)$/m.exec(messages);
  return {
    reason: reason!,
    errno: Number(errno),
    file: file!,
    line: Number(line),
    remedy: hint?.[1],
  };
}
