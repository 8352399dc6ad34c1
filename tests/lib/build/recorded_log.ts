// A Log that remembers: each line as "level: text", info lines bare.

import type { Log } from "../../../lib/log/log.ts";

export interface RecordedLog extends Log {
  readonly lines: string[];
}

export function newRecordedLog(): RecordedLog {
  const lines: string[] = [];
  return {
    lines,
    error: (message) => void lines.push(`error: ${message}`),
    warning: (message) => void lines.push(`warning: ${message}`),
    info: (message) => void lines.push(message),
    verbose: () => {},
    debug: () => {},
    trace: () => {},
    progress: () => ({ update() {}, [Symbol.dispose]() {} }),
  };
}
