// A man page as text: just as much of man(7) as our pages use, for tests to look things up in.

export interface ManPage {
  /** What stands at the bottom left, the program with its version. */
  readonly footer: string;
  /** Titles of the sections (.SH), in order. */
  readonly sections: readonly string[];
  /** Titles of the sub-sections (.SS) of a section. */
  sectionsIn(section: string): readonly string[];
  /** Text of a section or sub-section, on one line; "" if there is none of that title. */
  textOf(title: string): string;
  /** The tags (.TP) of a section or sub-section, with those of a section's sub-sections. */
  headsOf(title: string): readonly string[];
}

const COMMENT = '\\"';

interface Line {
  readonly section: string;
  readonly subsection: string | undefined;
  readonly text: string;
  /** Whether it is a tag, which a description follows. */
  readonly isHead: boolean;
}

export function parseManPage(source: string): ManPage {
  const lines: Line[] = [];
  const titles: { readonly title: string; readonly above: string | undefined }[] = [];
  let footer = "", section = "", subsection: string | undefined, isHead = false;
  for (const raw of source.split("\n")) {
    const [macro, words] = readRequest(raw);
    switch (macro) {
      case "TH":
        footer = words[3] ?? "";
        break;
      case "SH":
        section = words.join(" ");
        subsection = undefined;
        titles.push({ title: section, above: undefined });
        break;
      case "SS":
        subsection = words.join(" ");
        titles.push({ title: subsection, above: section });
        break;
      case "TP":
        isHead = true;
        break;
      case "text":
      case "B":
      case "I":
        lines.push({ section, subsection, text: words.join(" "), isHead });
        isHead = false;
        break;
      case "BR":
      case "RB":
      case "BI":
      case "IB":
      case "IR":
      case "RI":
        lines.push({ section, subsection, text: words.join(""), isHead });
        isHead = false;
        break;
      case "br":
      case "IP":
      case "PP":
      case "EX":
      case "EE":
      case COMMENT:
        break;
      default:
        throw new Error(`unknown macro: ${raw}`);
    }
  }
  const within = (title: string) =>
    lines.filter((line) => line.section === title || line.subsection === title);
  return {
    footer,
    sections: titles.filter(({ above }) => above === undefined).map(({ title }) => title),
    sectionsIn: (wanted) => titles.filter(({ above }) => above === wanted).map((t) => t.title),
    textOf: (title) => within(title).map(({ text }) => text).join(" "),
    headsOf: (title) => within(title).filter((line) => line.isHead).map(({ text }) => text),
  };
}

/** A macro with its words, or "text". */
function readRequest(line: string): [macro: string, words: readonly string[]] {
  if (line.startsWith(`.${COMMENT}`)) return [COMMENT, []];
  if (!line.startsWith(".")) return ["text", [unescape(line)]];
  const [macro = "", ...words] = line.slice(1).match(/"[^"]*"|\S+/g) ?? [];
  return [macro, words.map((word) => unescape(word.replace(/^"(.*)"$/, "$1")))];
}

/** Without changes of font, and escaped characters as they are printed. */
function unescape(text: string): string {
  return text.replaceAll(/\\f[BIRP]/g, "").replaceAll("\\-", "-").replaceAll("\\(dq", '"')
    .replaceAll("\\(bu", "•");
}
