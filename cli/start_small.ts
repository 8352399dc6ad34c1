// The script of the small engine (c/engine): evaluated when the executable is built, and `start` called
// when it runs.

import { start } from "./main.ts";

Object.assign(globalThis, { start });
