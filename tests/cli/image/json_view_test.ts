import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { formatEvent, JsonView } from "../../../cli/image/json_view.ts";
import { Logger } from "../../../cli/logger.ts";
import { ChError } from "../../../lib/error.ts";
import { TextWriter } from "../text_writer.ts";

function begin(verbosity = 0) {
  const writer = new TextWriter();
  const log = new Logger({
    verbosity,
    writer,
    isTerminal: false,
    hasColour: false,
    isUnicode: true,
    hasFestoon: false,
    hasTrace: false,
  });
  const events: unknown[] = [];
  const view = new JsonView((line) => events.push(JSON.parse(line)), log);
  log.watch(view);
  return { writer, log, view, events };
}

Deno.test("JsonView makes events of messages, and shows people what is wrong", () => {
  const { writer, log, view, events } = begin();
  log.info("said");
  log.verbose("not wanted");
  view.openVoice("one").log.warning("careful", "look");
  deepStrictEqual(events, [
    { event: "message", level: "info", message: "said" },
    { event: "message", level: "warning", message: "careful", hint: "look", stage: "one" },
  ]);
  strictEqual(writer.text, "warning: careful\nhint: look\n");
});

Deno.test("JsonView makes events of whole lines of output", () => {
  const { view, events } = begin();
  const { output } = view.openVoice("one");
  if (output.kind !== "watched") throw new Error("not watched");
  const bytes = (text: string) => new TextEncoder().encode(text);
  output.write("stdout", bytes("a\nb"));
  output.write("stderr", Uint8Array.of(0xff, 10));
  output.write("stdout", bytes("c"));
  output.flush?.();
  const event = "output", stage = "one";
  deepStrictEqual(events, [
    { event, stage, stream: "stdout", text: "a" },
    { event, stage, stream: "stderr", text: "\ufffd" },
    { event, stage, stream: "stdout", text: "bc" },
  ]);
});

Deno.test("JsonView ends with the error", () => {
  const { view, events } = begin();
  view.fail(new ChError("no", { hint: "yes", cause: new Error("why") }));
  deepStrictEqual(events, [{ event: "error", message: "no: why", hint: "yes" }]);
});

Deno.test("formatEvent() gives valid text for what is none", () => {
  const instruction = "RUN.S echo \udc80\n";
  strictEqual(
    formatEvent({ event: "begin", stage: "0", line: 1, instruction }),
    '{"event":"begin","stage":"0","line":1,"instruction":"RUN.S echo \ufffd\\n"}',
  );
});
