// The grammar of image references (spec ch-image §6.1) as a small automaton, so that a mistake can be
// reported at the first character after which no reference goes on:
//
//   ref  := [ host [":" port] "/" ] { comp "/" } name [ ":" tag | "@sha256:" hex ]
//
// Host and first component look alike at their start: both are followed until one of them fails.

type State =
  | "start"
  | "host"
  | "port?"
  | "port"
  | "name?"
  | "name"
  | "tag?"
  | "tag"
  | "hex?"
  | "hex";

const DIGEST_MARK = "@sha256:";
const ACCEPTING: ReadonlySet<State> = new Set(["name", "tag", "hex"]);

/** Index of the first character that fits nowhere, the length if TEXT ends too early; else undefined. */
export function findSyntaxError(text: string): number | undefined {
  let states: readonly State[] = ["start"];
  for (let at = 0; at < text.length; at++) {
    if (states.includes("name") && text.startsWith(DIGEST_MARK, at)) {
      states = ["hex?"];
      at += DIGEST_MARK.length - 1;
      continue;
    }
    const char = text[at]!;
    states = states.flatMap((state) => step(state, char));
    if (states.length === 0) return at;
  }
  return states.some((state) => ACCEPTING.has(state)) ? undefined : text.length;
}

function step(state: State, char: string): readonly State[] {
  switch (state) {
    case "start":
      return [...when(/[\w.-]/, char, "host"), ...when(/[a-z0-9_.-]/, char, "name")];
    case "host":
      if (char === ":") return ["port?"];
      return char === "/" ? ["name?"] : when(/[\w.-]/, char, "host");
    case "port?":
      return when(/\d/, char, "port");
    case "port":
      return char === "/" ? ["name?"] : when(/\d/, char, "port");
    case "name?":
      return when(/[a-z0-9_.-]/, char, "name");
    case "name":
      if (char === ":") return ["tag?"];
      return char === "/" ? ["name?"] : when(/[a-z0-9_.-]/, char, "name");
    case "tag?":
    case "tag":
      return when(/[\w.-]/, char, "tag");
    case "hex?":
    case "hex":
      return when(/[0-9A-Fa-f]/, char, "hex");
    default:
      return state satisfies never;
  }
}

function when(set: RegExp, char: string, next: State): readonly State[] {
  return set.test(char) ? [next] : [];
}
