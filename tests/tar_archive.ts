// Makes tar archives member by member, also such as no tar program would make. Not a reader.

export interface Member {
  readonly name: string;
  /** "0" file (the default), "1" hard link, "2" symlink, "3" character device, "5" directory, "6" FIFO */
  readonly type?: "0" | "1" | "2" | "3" | "5" | "6";
  readonly link?: string;
  readonly data?: string;
  readonly mode?: number;
}

const BLOCK = 512;
const encoder = new TextEncoder();

/** A ustar archive (POSIX.1-1988) of MEMBERS, in their order. */
export function makeTar(members: readonly Member[]): Uint8Array<ArrayBuffer> {
  const blocks = members.flatMap((member) => {
    const data = encoder.encode(member.data ?? "");
    const padded = new Uint8Array(Math.ceil(data.length / BLOCK) * BLOCK);
    padded.set(data);
    return [makeHeader(member, data.length), padded];
  });
  return joinBytes([...blocks, new Uint8Array(2 * BLOCK)]);
}

function makeHeader(member: Member, size: number): Uint8Array {
  const header = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => header.set(encoder.encode(text), at);
  const octal = (value: number, width: number) => value.toString(8).padStart(width - 1, "0");
  put(0, member.name);
  put(100, octal(member.mode ?? 0o755, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  put(124, octal(size, 12));
  put(136, octal(1_000_000_000, 12));
  put(148, " ".repeat(8));
  put(156, member.type ?? "0");
  put(157, member.link ?? "");
  put(257, "ustar\x0000");
  if (member.type === "3") {
    put(329, octal(1, 8));
    put(337, octal(3, 8));
  }
  put(148, octal(header.reduce((sum, byte) => sum + byte, 0), 7) + "\x00 ");
  return header;
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
