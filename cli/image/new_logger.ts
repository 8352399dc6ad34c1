// The logger as the environment wants it (spec ch-image §1.2, §3.4).

import { ChError } from "../../lib/error.ts";
import { isUnicodeLocale, Logger } from "../logger.ts";

export function newLogger(
  verbosity: number,
  hasTrace: boolean,
  environment: ReadonlyMap<string, string>,
): Logger {
  const path = environment.get("CH_LOG_FILE");
  const isTerminal = path === undefined && Deno.stderr.isTerminal();
  return new Logger({
    // A log file is for reading afterwards: it gets what -v shows at least.
    verbosity: path === undefined ? verbosity : Math.max(verbosity, 1),
    writer: path === undefined ? Deno.stderr : openLogFile(path),
    isTerminal,
    hasColour: isTerminal,
    isUnicode: isUnicodeLocale(environment),
    hasFestoon: environment.has("CH_LOG_FESTOON"),
    hasTrace: hasTrace || Boolean(environment.get("CH_IMAGE_DEBUG")),
  });
}

function openLogFile(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { append: true, create: true });
  } catch (error) {
    throw new ChError(`can’t open log file: ${path}`, { cause: error });
  }
}
