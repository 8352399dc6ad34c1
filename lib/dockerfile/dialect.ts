// Whose rules a Dockerfile is read by. Upstream's language and Docker's agree on most files; where they
// do not, upstream's rules hold unless the file asks for Docker's by its first lines
// (`# syntax=docker/dockerfile:1`). docs/dockerfile.md has the list of differences.

export interface Dialect {
  /** `docker`: as BuildKit's frontend reads it. */
  readonly rules: "charliecloud" | "docker";
  /** What continues lines and, in Docker's rules, takes the next character literally. */
  readonly escape: "\\" | "`";
}

export const CHARLIECLOUD: Dialect = { rules: "charliecloud", escape: "\\" };

/** `# escape=…`, `# syntax=…`, `# check=…` as they stand before the first instruction. */
export interface DirectiveText {
  readonly name: string;
  readonly value: string;
}

/** The first of each name counts. */
export function chooseDialect(directives: readonly DirectiveText[]): Dialect {
  const find = (name: string) =>
    directives.find((each) => each.name === name && isSupported(each))?.value;
  return {
    rules: find("syntax") === undefined ? "charliecloud" : "docker",
    escape: (find("escape") ?? "\\") as Dialect["escape"],
  };
}

/** Does it mean something here? Frontends other than Docker's own do not. */
export function isSupported({ name, value }: DirectiveText): boolean {
  switch (name) {
    case "escape":
      return value === "\\" || value === "`";
    case "syntax":
      return /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/.test(value);
    default:
      return false;
  }
}
