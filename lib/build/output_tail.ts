// The last lines of what a command prints, as a terminal would show them.

const KEPT = 4096;

export class OutputTail {
  #text = "";

  add(text: string): void {
    this.#text = (this.#text + text).slice(-KEPT);
  }

  /** At most the last COUNT; a line that is not complete is one, too. */
  listLines(count: number): string[] {
    if (count === 0) return [];
    // A line rewritten in place shows what was written last.
    const lines = this.#text.split("\n").map((line) => line.replace(/\r+$/, ""))
      .map((line) => line.slice(line.lastIndexOf("\r") + 1));
    if (lines.at(-1) === "") lines.pop();
    return lines.slice(-count);
  }
}
