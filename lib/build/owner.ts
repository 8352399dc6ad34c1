// `--chown`: numbers, or names that the image knows.

import { ChError } from "../error.ts";
import type { Owner } from "../layer/entry.ts";
import { findText } from "./image_text.ts";

/**
 * TEXT is USER, USER:GROUP or :GROUP, each a name or a number. Without a group it is the user's own, for
 * a number the same number, as Docker has it. Throws a ChError for a name that /etc/passwd or /etc/group
 * of the image, whose root is ROOT_FD, does not have.
 */
export function resolveOwner(text: string, rootFd: number): Owner {
  const [user = "", group, ...rest] = text.split(":");
  if (rest.length > 0 || (user === "" && (group ?? "") === "")) {
    throw new ChError(`--chown: not USER[:GROUP]: ${text}`);
  }
  const found = user === "" ? { uid: 0, gid: 0 } : resolveUser(user, rootFd);
  if (group === undefined || group === "") return found;
  return { uid: found.uid, gid: parseId(group) ?? findGroup(group, rootFd) };
}

function resolveUser(user: string, rootFd: number): Owner {
  const id = parseId(user);
  if (id !== undefined) return { uid: id, gid: id };
  const fields = findLine(user, "etc/passwd", rootFd);
  const [uid, gid] = [fields?.[2], fields?.[3]].map((field) => parseId(field ?? ""));
  if (uid === undefined || gid === undefined) throw unknown("user", user, "passwd");
  return { uid, gid };
}

function findGroup(group: string, rootFd: number): number {
  const gid = parseId(findLine(group, "etc/group", rootFd)?.[2] ?? "");
  if (gid === undefined) throw unknown("group", group, "group");
  return gid;
}

function findLine(name: string, path: string, rootFd: number): string[] | undefined {
  const lines = findText(rootFd, path)?.split("\n") ?? [];
  return lines.map((line) => line.split(":")).find(([first]) => first === name);
}

/** 2³² − 1 is no ID: it means “as it is” to chown(2). */
function parseId(text: string): number | undefined {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  return id === undefined || id >= 2 ** 32 - 1 ? undefined : id;
}

function unknown(kind: string, name: string, file: string): ChError {
  return new ChError(`--chown: no such ${kind} in the image: ${name}`, {
    hint: `its /etc/${file} has none of that name; numbers need none`,
  });
}
