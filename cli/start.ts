// The script that Deno runs.

import { start } from "./main.ts";

start();
