// A log that says nothing: for work that is done twice, or for nobody.

import type { Log } from "./log.ts";

export const SILENT_LOG: Log = {
  error() {},
  warning() {},
  info() {},
  verbose() {},
  debug() {},
  trace() {},
  progress: () => ({ update() {}, [Symbol.dispose]() {} }),
};
