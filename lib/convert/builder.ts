// Docker and Podman, by what their command lines have in common: images leave and enter their storage as
// archives of `docker save` (spec ch-convert §6.4, §7.6). No container is ever made.

import { OutputFile } from "../../ffi/output_file.ts";
import { ChError } from "../error.ts";

/** Runs a program of the host's to its end. */
export type RunProgram = (
  /** Name or path, and arguments. */
  command: readonly string[],
  options?: ProgramOptions,
) => Promise<ProgramResult>;

export interface ProgramOptions {
  /** What it reads; nothing if not given. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Takes what it prints, instead of the result. */
  readonly onOutput?: (chunk: Uint8Array) => Promise<void>;
  /** Whether what it says on standard error is kept from the user. */
  readonly isQuiet?: boolean;
}

export interface ProgramResult {
  /** Exit status; as shells have it if a signal ended it. */
  readonly status: number;
  readonly output: string;
}

/** One of the two; its calls throw a ChError if the program fails, after it has said why itself. */
export class BuilderProgram {
  readonly #name: "docker" | "podman";
  readonly #command: readonly string[];
  readonly #run: RunProgram;

  /** COMMAND begins each call, e.g. ["sudo", "docker"]. */
  constructor(name: "docker" | "podman", command: readonly string[], run: RunProgram) {
    this.#name = name;
    this.#command = command;
    this.#run = run;
  }

  /** As messages have it. */
  get title(): string {
    return this.#name === "docker" ? "Docker" : "Podman";
  }

  /** Whether there is an image that REFERENCE means. */
  async hasImage(reference: string): Promise<boolean> {
    return (await this.#ask(["image", "ls", "-q", "--", reference])).trim() !== "";
  }

  /** Whether an image has exactly the name that {@linkcode load} would give. */
  async hasName(reference: string): Promise<boolean> {
    const name = this.fullName(reference);
    const list = await this.#ask(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
    return list.split("\n").some((line) => line.trim() === name);
  }

  /** REFERENCE with what the tool would add to it. Podman's own images are those of "localhost". */
  fullName(reference: string): string {
    const [first, ...others] = reference.split("/");
    const hasHost = others.length > 0 && (/[.:]/.test(first!) || first === "localhost");
    const name = this.#name === "podman" && !hasHost ? `localhost/${reference}` : reference;
    return /:[^/]*$/.test(name) ? name : `${name}:latest`;
  }

  /** Writes the image to the file PATH; ONBYTES is told of each piece's size. */
  async save(reference: string, path: string, onBytes: (count: number) => void): Promise<void> {
    using file = new OutputFile(path);
    const { status } = await this.#run([...this.#command, "image", "save", "--", reference], {
      onOutput: async (chunk) => {
        await file.write(chunk);
        onBytes(chunk.length);
      },
    });
    this.#check("image save", status);
    await file.commit();
  }

  /** Takes the images of an archive. */
  async load(archive: AsyncIterable<Uint8Array>): Promise<string> {
    const { status, output } = await this.#run([...this.#command, "image", "load"], {
      input: archive,
    });
    this.#check("image load", status);
    return output;
  }

  async #ask(words: readonly string[]): Promise<string> {
    const { status, output } = await this.#run([...this.#command, ...words]);
    this.#check(words.slice(0, 2).join(" "), status);
    return output;
  }

  /** What went wrong it has said itself. */
  #check(what: string, status: number): void {
    if (status === 0) return;
    throw new ChError(`${this.#name} ${what} failed: exit status ${status}`);
  }
}

/** Docker may need privilege; whether it does is found out by asking it something. */
export async function findDockerCommand(
  path: string,
  sudo: string | undefined,
  run: RunProgram,
): Promise<readonly string[]> {
  const { status } = await run([path, "info"], { isQuiet: true });
  return status === 0 || sudo === undefined ? [path] : [sudo, path];
}

/** Whether the program at PATH is Podman under Docker's name, as the package podman-docker has it. */
export async function isPodmanAlias(path: string, run: RunProgram): Promise<boolean> {
  const { output } = await run([path, "--help"], { isQuiet: true });
  return /podman/i.test(output);
}
