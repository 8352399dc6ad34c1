// What may come into an image out of an archive, and as what: the member rules of spec ch-image §11.3
// and, for ch-convert, §7.5. Names become image paths here.

import { displayOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import type { Entry, Source } from "./entry.ts";
import { surveyMembers } from "./enclosing_directory.ts";
import { climbsAboveRoot, collapsePath, relativeTarget } from "./link_target.ts";
import { displayPath, hasUpLevel, isWithin, normalizePath, splitPath } from "./member_path.ts";

export interface ImageRules {
  /** The archive, as messages name it. */
  readonly archive: string;
  /** Before warnings, e.g. "layer 1/1: 0123456: "; may be empty. */
  readonly label: string;
  readonly log: Log;
  /** Device nodes: dropped and counted (the default), or kept. */
  readonly devices?: "drop" | "keep";
  /** FIFOs likewise. */
  readonly fifos?: "drop" | "keep";
  /**
   * Symbolic links: absolute ones made relative and those that climb above the root refused (the
   * default), or left as they are, which harms nobody who resolves them within the image.
   */
  readonly symlinks?: "confine" | "keep";
  /** Set-user-ID and set-group-ID bits: cleared (the default), or kept. */
  readonly setuid?: "strip" | "keep";
  /** Files get u+rw (the default), or keep their mode. Directories get u+rwx in any case. */
  readonly fileModes?: "open" | "keep";
  /** Called for each member, before anything else is done with it. */
  readonly onMember?: () => void;
}

/** ch-convert copies images as they are, but for what would be unsafe or could not be made. */
export const CONVERT_RULES = {
  fifos: "keep",
  symlinks: "keep",
  setuid: "keep",
  fileModes: "keep",
} as const satisfies Partial<ImageRules>;

/**
 * The image in an archive: an enclosing directory is taken off and the rules are applied. OPEN gives the
 * members from the start; it is called twice, first for a look at the names.
 */
export async function* readImageArchive(open: () => Source, rules: ImageRules): Source {
  const { enclosing } = await surveyMembers(open());
  yield* applyImageRules(open(), rules, enclosing);
}

/** The rules alone, with directory ENCLOSING taken off. Counts are reported when all is read. */
export async function* applyImageRules(
  members: Source,
  rules: ImageRules,
  enclosing?: string,
): Source {
  const screen = new Screen(rules, enclosing);
  for await (const member of members) {
    rules.onMember?.();
    const entry = screen.admit(member);
    if (entry !== undefined) yield entry;
  }
  screen.report();
}

class Screen {
  readonly #rules: ImageRules;
  readonly #enclosing: string | undefined;
  readonly #dropped = new Set<string>();
  #absolutePaths = 0;
  #specials = 0;
  #absoluteLinks = 0;

  constructor(rules: ImageRules, enclosing: string | undefined) {
    this.#rules = rules;
    this.#enclosing = enclosing;
  }

  /** The member as it goes into the image; undefined if it does not. */
  admit(member: Entry): Entry | undefined {
    const path = this.#imagePath(member.path);
    if (path === undefined) return undefined;
    if (isWithin(path, "dev") && path !== "dev") {
      this.#dropped.add(path);
      return undefined;
    }
    const mode = this.#safeMode(member, path);
    switch (member.type) {
      case "char":
      case "block":
        return this.#admitSpecial({ ...member, path, mode }, this.#rules.devices);
      case "fifo":
        return this.#admitSpecial({ ...member, path, mode }, this.#rules.fifos);
      case "symlink":
        return { ...member, path, mode, target: this.#symlinkTarget(member, path) };
      case "hardlink":
        return this.#admitHardLink({ ...member, path, mode });
      case "directory":
        return { ...member, path, mode: mode | 0o700 };
      case "file":
        return { ...member, path, mode: this.#rules.fileModes === "keep" ? mode : mode | 0o600 };
      case "socket":
        return { ...member, path, mode };
      default:
        return member satisfies never;
    }
  }

  report(): void {
    const { log, label } = this.#rules;
    if (this.#absolutePaths > 0) {
      log.warning(`${label}fixed ${this.#absolutePaths} absolute member paths`);
    }
    if (this.#specials > 0) {
      log.warning(`${label}ignored ${this.#specials} devices and/or FIFOs`);
    }
    if (this.#absoluteLinks > 0) {
      const links = "absolute symbolic and/or hard links";
      log.info(`${label}changed ${this.#absoluteLinks} ${links} to relative`);
    }
  }

  /** Undefined for what is no member of the image. */
  #imagePath(name: string): string | undefined {
    if (name === "") {
      this.#rules.log.warning(`${this.#rules.label}skipping member with empty path`);
      return undefined;
    }
    if (hasUpLevel(name)) throw this.#refusal("up-level member", name);
    if (name.startsWith("/")) this.#absolutePaths++;
    const path = normalizePath(name);
    if (this.#enclosing === undefined) return path;
    // The enclosing directory's own mode and time are not the image's, nor are those of "./".
    return isWithin(path, this.#enclosing) && path !== this.#enclosing
      ? path.slice(this.#enclosing.length + 1)
      : undefined;
  }

  #safeMode({ mode, type }: Entry, path: string): number {
    if (this.#rules.setuid === "keep" || type === "symlink" || type === "hardlink") return mode;
    const name = displayPath(path);
    if (mode & 0o4000) this.#rules.log.verbose(`stripping unsafe setuid bit: ${name}`);
    if (mode & 0o2000) this.#rules.log.verbose(`stripping unsafe setgid bit: ${name}`);
    return mode & ~0o6000;
  }

  #admitSpecial(entry: Entry, choice: "drop" | "keep" = "drop"): Entry | undefined {
    if (choice === "keep") return entry;
    this.#specials++;
    this.#dropped.add(entry.path);
    return undefined;
  }

  #symlinkTarget({ target }: Entry & { readonly type: "symlink" }, path: string): string {
    this.#requireTarget(path, target);
    if (this.#rules.symlinks === "keep") return target;
    this.#checkClimb(splitPath(path)[0], path, target);
    if (!target.startsWith("/")) return target;
    this.#absoluteLinks++;
    return relativeTarget(path, target);
  }

  /** Its target is a member's name: relative to the archive's root. */
  #admitHardLink(entry: Entry & { readonly type: "hardlink" }): Entry | undefined {
    this.#requireTarget(entry.path, entry.target);
    this.#checkClimb("", entry.path, entry.target);
    if (entry.target.startsWith("/")) this.#absoluteLinks++;
    const member = collapsePath(entry.target);
    const isEnclosed = this.#enclosing !== undefined && isWithin(member, this.#enclosing);
    const target = isEnclosed ? member.slice(this.#enclosing!.length + 1) : member;
    if (!this.#dropped.has(target)) return { ...entry, target };
    // Another name of something that was dropped.
    if (!isWithin(target, "dev")) this.#specials++;
    this.#dropped.add(entry.path);
    return undefined;
  }

  #requireTarget(path: string, target: string): void {
    if (target === "") throw this.#refusal("link with empty target", path);
  }

  #checkClimb(dir: string, path: string, target: string): void {
    if (climbsAboveRoot(dir, target)) {
      throw this.#refusal("too many up-levels", `${path} -> ${target}`);
    }
  }

  #refusal(what: string, subject: string): ChError {
    const archive = displayOsString(this.#rules.archive);
    return new ChError(`rejecting ${what}: ${archive}: ${displayPath(subject)}`);
  }
}
