// Lists as announced.

import { strictEqual } from "node:assert/strict";
import { printJsonList, printList } from "../../../lib/dockerfile/print.ts";

Deno.test("printList() quotes as upstream does", () => {
  strictEqual(printList(["a", "b c"]), "['a', 'b c']");
  strictEqual(printList(["it's", 'a"b', `'"`]), `["it's", 'a"b', '\\'"']`);
  strictEqual(printList(["a\\b", "c\nd\te", "\x01", "ä"]), "['a\\\\b', 'c\\nd\\te', '\\x01', 'ä']");
});

Deno.test("printJsonList() is JSON in ASCII", () => {
  strictEqual(
    printJsonList(["a", 'b"c\\', "\n", "ä€"]),
    '["a", "b\\"c\\\\", "\\n", "\\u00e4\\u20ac"]',
  );
});
