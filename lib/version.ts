/** The release, as every tool's `--version` prints it (form: spec ch-run §1.3). */
export const VERSION = "0.40";
