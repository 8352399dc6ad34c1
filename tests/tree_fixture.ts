// Trees and archives as text: one line an entry, for making them and for comparing with them.
//
//   d 0755 usr              f 0644 usr/a "text"       l usr/b -> a       h usr/c = usr/a
//   p 0644 fifo             c 0666 dev/null 1,3       b 0660 sda 8,0     s 0755 socket
//
// A file's text is a JSON string; an empty name is written ''. " @TIME" at the end sets the time, else it is TIME. What is made here is
// made by other means than lib/ has, so that it can stand as a witness.

import assert from "node:assert/strict";
import { displayOsString, encodeOsString } from "../ffi/os_string.ts";
import type { Entry, Source } from "../lib/layer/entry.ts";

export const TIME = 1_600_000_000;

type Line = {
  readonly kind: "d" | "f" | "l" | "h" | "p" | "c" | "b" | "s";
  readonly mode: number;
  readonly path: string;
  /** Text of a file, target of a link, "MAJOR,MINOR" of a device. */
  readonly value: string;
  readonly time: number;
};

const LINE =
  /^(?:([dfpcbs]) ([0-7]{4}) ([^ ]*)(?: ([^ "@]+|".*"))?|([lh]) ([^ ]*) (?:->|=) ([^ ]*))(?: @(-?[0-9.]+))?$/;

export function parseLines(text: string): Line[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").map((line) => {
    const match = LINE.exec(line);
    assert(match !== null, `fixture line: ${line}`);
    const [, kind, mode, path, value = '""', link, linkPath, target, time] = match;
    const common = { time: Number(time ?? TIME) };
    if (link !== undefined) {
      const names = { path: unquote(linkPath!), value: unquote(target!) };
      return { ...common, ...names, kind: link as "l" | "h", mode: 0o777 };
    }
    return {
      ...common,
      kind: kind as Line["kind"],
      mode: parseInt(mode!, 8),
      path: unquote(path!),
      value: kind === "f" ? JSON.parse(value) as string : value,
    };
  });
}

function unquote(name: string): string {
  return name === "''" ? "" : name;
}

function quote(name: string): string {
  return name === "" ? "''" : name;
}

/** A directory of its own below the temporary directory; dispose removes it. */
export class TemporaryDirectory implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "ch-test." });

  /** Makes what TEXT says below directory NAME; returns its path. */
  makeTree(name: string, text: string): string {
    const root = `${this.path}/${name}`;
    Deno.mkdirSync(root, { recursive: true });
    const lines = parseLines(text);
    for (const line of lines) makeOne(root, line);
    // Modes and times when nothing is added any more, children first.
    for (const line of lines.toReversed()) finishOne(root, line);
    return root;
  }

  [Symbol.dispose](): void {
    run("chmod", "-R", "u+rwx", this.path);
    Deno.removeSync(this.path, { recursive: true });
  }
}

function makeOne(root: string, { kind, path, value }: Line): void {
  const at = `${root}/${path}`;
  switch (kind) {
    case "d":
      return Deno.mkdirSync(at, { recursive: true });
    case "f":
      return Deno.writeFileSync(at, encodeOsString(value));
    case "l":
      return Deno.symlinkSync(value, at);
    case "h":
      return Deno.linkSync(`${root}/${value}`, at);
    case "p":
      return run("mkfifo", at);
    case "c":
    case "b":
      return run("mknod", at, kind, ...value.split(","));
    case "s":
      return run("python3", "-c", `import socket; socket.socket(socket.AF_UNIX).bind("${at}")`);
    default:
      return kind satisfies never;
  }
}

function finishOne(root: string, { kind, mode, path, time }: Line): void {
  const at = `${root}/${path}`;
  if (kind !== "l" && kind !== "h") Deno.chmodSync(at, mode);
  if (kind !== "h") run("touch", "-h", "-d", `@${time}`, at);
}

/** What lies below directory PATH, sorted, as lines; its root is the entry with an empty path. */
export function showTree(path: string, options: { times?: boolean } = {}): string {
  const firstNames = new Map<string, string>();
  return walk(path, "").map(({ at, name: plain }) => {
    const name = quote(plain);
    const stat = Deno.lstatSync(at);
    const mode = (stat.mode! & 0o7777).toString(8).padStart(4, "0");
    const time = options.times ? ` @${stat.mtime!.getTime() / 1000}` : "";
    const key = `${stat.dev}:${stat.ino}`;
    const first = firstNames.get(key);
    if (first !== undefined && !stat.isDirectory) return `h ${name} = ${first}${time}`;
    firstNames.set(key, name);
    if (stat.isSymlink) return `l ${name} -> ${Deno.readLinkSync(at)}${time}`;
    if (stat.isDirectory) return `d ${mode} ${name}${time}`;
    if (stat.isFile) return `f ${mode} ${name} ${JSON.stringify(readText(at, mode))}${time}`;
    if (stat.isFifo) return `p ${mode} ${name}${time}`;
    if (stat.isSocket) return `s ${mode} ${name}${time}`;
    const numbers = output("stat", "-c", "%Hr,%Lr", at).trim();
    return `${stat.isCharDevice ? "c" : "b"} ${mode} ${name} ${numbers}${time}`;
  }).join("\n");
}

/** TEXT's lines without indentation, to compare with {@linkcode showTree}. */
export function lines(text: string): string {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").join("\n");
}

function walk(root: string, name: string): { at: string; name: string }[] {
  const at = name === "" ? root : `${root}/${name}`;
  if (!Deno.lstatSync(at).isDirectory) return [{ at, name }];
  const names = [...Deno.readDirSync(at)].map((entry) => entry.name).sort();
  return [
    { at, name },
    ...names.flatMap((below) => walk(root, name === "" ? below : `${name}/${below}`)),
  ];
}

/** An ordinary user may not read all files of theirs. */
function readText(path: string, mode: string): string {
  return (parseInt(mode, 8) & 0o400) !== 0 || Deno.uid() === 0
    ? new TextDecoder().decode(Deno.readFileSync(path))
    : "?";
}

/** The lines of a source; content is read as consumers do. */
export async function showEntries(
  source: Source,
  options: { times?: boolean } = {},
): Promise<string> {
  const shown: string[] = [];
  for await (const entry of source) shown.push(await showEntry(entry, options.times ?? false));
  return shown.join("\n");
}

async function showEntry(entry: Entry, hasTime: boolean): Promise<string> {
  const mode = entry.mode.toString(8).padStart(4, "0");
  const name = quote(displayOsString(entry.path));
  const time = hasTime ? ` @${entry.mtime + entry.mtimeNsec / 1e9}` : "";
  switch (entry.type) {
    case "directory":
      return `d ${mode} ${name}${time}`;
    case "file": {
      const text = new TextDecoder().decode(await readContent(entry));
      return `f ${mode} ${name} ${JSON.stringify(text)}${time}`;
    }
    case "symlink":
      return `l ${name} -> ${displayOsString(entry.target)}${time}`;
    case "hardlink":
      return `h ${name} = ${displayOsString(entry.target)}${time}`;
    case "fifo":
      return `p ${mode} ${name}${time}`;
    case "socket":
      return `s ${mode} ${name}${time}`;
    case "char":
    case "block":
      return `${entry.type[0]} ${mode} ${name} ${entry.major},${entry.minor}${time}`;
    default:
      return entry satisfies never;
  }
}

/** All bytes of a file entry. */
export async function readContent(entry: Entry & { type: "file" }): Promise<Uint8Array> {
  if ("fd" in entry.content) return Deno.readFileSync(`/proc/self/fd/${entry.content.fd}`);
  const parts: Uint8Array[] = [];
  for await (const chunk of entry.content.chunks) parts.push(chunk.slice());
  return concatenate(parts);
}

/** The entries that TEXT describes, as a source. Paths may be anything. */
export async function* entriesOf(text: string): Source {
  for (const { kind, mode, path, value, time } of parseLines(text)) {
    const common = { path, mode, uid: 0, gid: 0, mtime: Math.floor(time), mtimeNsec: 0 };
    const [major, minor] = value.split(",").map(Number) as [number, number];
    switch (kind) {
      case "d":
        yield { ...common, type: "directory" };
        break;
      case "f": {
        const bytes = encodeOsString(value);
        const content = { chunks: chunksOf(bytes, bytes.length) };
        yield { ...common, type: "file", size: bytes.length, content };
        break;
      }
      case "l":
        yield { ...common, type: "symlink", target: value };
        break;
      case "h":
        yield { ...common, type: "hardlink", target: value };
        break;
      case "p":
        yield { ...common, type: "fifo" };
        break;
      case "s":
        yield { ...common, type: "socket" };
        break;
      case "c":
      case "b":
        yield { ...common, type: kind === "c" ? "char" : "block", major, minor };
        break;
      default:
        kind satisfies never;
    }
  }
}

/** BYTES in pieces of SIZE. */
export async function* chunksOf(bytes: Uint8Array, size = 512): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const TAR_TYPES = { f: "0", h: "1", l: "2", c: "3", b: "4", d: "5", p: "6", s: "?" } as const;

/** A ustar archive with the entries that TEXT describes, names exactly as they stand there. */
export function makeTar(text: string): Uint8Array<ArrayBuffer> {
  const parts = parseLines(text).map(({ kind, mode, path, value, time }) => {
    const data = kind === "f" ? encodeOsString(value) : new Uint8Array();
    const numbers = kind === "c" || kind === "b" ? value : "0,0";
    const linkName = kind === "l" || kind === "h" ? value : "";
    return tarMember(path, TAR_TYPES[kind], data, { mode, time, linkName, numbers });
  });
  return concatenate([...parts, new Uint8Array(1024)]);
}

/** One member by hand: a header with whatever is wanted in it, and its data. */
export function tarMember(
  name: string,
  type: string,
  data: Uint8Array = new Uint8Array(),
  fields: {
    readonly mode?: number;
    readonly time?: number;
    readonly linkName?: string;
    readonly numbers?: string;
    /** Bytes to put over the header, by offset, before the sum is made. */
    readonly patch?: Readonly<Record<number, string>>;
    /** Put over the header after the sum is made. */
    readonly checksum?: string;
  } = {},
): Uint8Array<ArrayBuffer> {
  const { mode = 0o644, time = TIME, linkName = "", numbers = "0,0" } = fields;
  const member = new Uint8Array(512 + Math.ceil(data.length / 512) * 512);
  const put = (at: number, text: string) => member.set(encodeOsString(text), at);
  const [major, minor] = numbers.split(",").map((number) => Number(number).toString(8));
  put(0, name);
  put(100, mode.toString(8).padStart(7, "0"));
  put(108, "0000000\x000000000");
  put(124, data.length.toString(8).padStart(11, "0"));
  put(136, Math.floor(time).toString(8).padStart(11, "0"));
  put(156, type);
  put(157, linkName);
  put(257, "ustar\x0000");
  put(329, major!.padStart(7, "0"));
  put(337, minor!.padStart(7, "0"));
  for (const [at, text] of Object.entries(fields.patch ?? {})) put(Number(at), text);
  put(148, " ".repeat(8));
  const sum = member.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  put(148, fields.checksum ?? sum.toString(8).padStart(6, "0") + "\0 ");
  member.set(data, 512);
  return member;
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Runs a program that must succeed. */
export function run(command: string, ...args: string[]): void {
  output(command, ...args);
}

export function output(command: string, ...args: string[]): string {
  const { code, stdout, stderr } = new Deno.Command(command, { args }).outputSync();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(code, 0, `${command} ${args.join(" ")}: ${text(stderr)}`);
  return text(stdout);
}
