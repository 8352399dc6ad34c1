// A Writer that keeps what is written, for tests.

export class TextWriter {
  text = "";

  writeSync(bytes: Uint8Array): number {
    this.text += new TextDecoder().decode(bytes);
    return bytes.length;
  }

  /** Lines without the place in the source, which changes. */
  get lines(): string[] {
    return this.text.replace(/\n$/, "").split("\n")
      .map((line) => line.replace(/ \([\w.]+:\d+( \d+)?\)$/, " (PLACE$1)"));
  }
}
