// Trees of files for tests: made from a table, and shown as one.

/** "PATH/" is a directory, `-> TARGET` a symbolic link, `|` a FIFO, any other text a file's content. */
export type FileTable = Readonly<Record<string, string>>;

export function makeFiles(root: string, table: FileTable): void {
  for (const [name, content] of Object.entries(table)) {
    const path = `${root}/${name}`;
    Deno.mkdirSync(name.endsWith("/") ? path : path.slice(0, path.lastIndexOf("/")), {
      recursive: true,
    });
    if (name.endsWith("/")) continue;
    if (content.startsWith("-> ")) Deno.symlinkSync(content.slice(3), path);
    else if (content === "|") makeFifo(path);
    else Deno.writeTextFileSync(path, content);
  }
}

/** Everything below ROOT, empty directories included. */
export function readFiles(root: string): Record<string, string> {
  const table: Record<string, string> = {};
  const walk = (directory: string) => {
    for (const { name } of [...Deno.readDirSync(`${root}/${directory}`)]) {
      const path = directory === "" ? name : `${directory}/${name}`;
      const info = Deno.lstatSync(`${root}/${path}`);
      if (info.isDirectory) {
        table[`${path}/`] = "";
        walk(path);
      } else {
        table[path] = info.isSymlink
          ? `-> ${Deno.readLinkSync(`${root}/${path}`)}`
          : info.isFile
          ? Deno.readTextFileSync(`${root}/${path}`)
          : "|";
      }
    }
  };
  walk("");
  return Object.fromEntries(Object.entries(table).sort(([a], [b]) => a < b ? -1 : 1));
}

function makeFifo(path: string): void {
  const { success } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
  if (!success) throw new Error(`mkfifo: ${path}`);
}

/** A directory of its own for each test. */
export class Place implements Disposable {
  readonly path = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-test." });

  make(name: string, table: FileTable): string {
    const path = `${this.path}/${name}`;
    Deno.mkdirSync(path, { recursive: true });
    makeFiles(path, table);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
