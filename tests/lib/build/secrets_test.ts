import { strictEqual, throws } from "node:assert/strict";
import { NO_SECRETS, parseSecrets } from "../../../lib/build/secrets.ts";
import { Place } from "./files.ts";

const VARIABLES: Readonly<Record<string, string>> = {
  TOKEN: "tök",
  SSH_AUTH_SOCK: "/agent",
  e: "",
};

function find(secrets: readonly string[], id: string): string | undefined {
  const bytes = parseSecrets(secrets, [], (name) => VARIABLES[name]).findSecret(id);
  return bytes && new TextDecoder().decode(bytes);
}

Deno.test("parseSecrets() reads files and variables", () => {
  using place = new Place();
  const file = `${place.make("files", { key: "from file" })}/key`;
  strictEqual(find([`id=s,src=${file}`], "s"), "from file");
  strictEqual(find([`type=file,id=s,source=${file}`], "s"), "from file");
  strictEqual(find(["id=s,env=TOKEN"], "s"), "tök");
  strictEqual(find(["type=env,id=TOKEN"], "TOKEN"), "tök");
  strictEqual(find(["type=env,id=s,src=TOKEN"], "s"), "tök");
  strictEqual(find(["id=s,env=e"], "s"), "");
  // Without a source: the variable of that name, else the file.
  strictEqual(find(["id=TOKEN"], "TOKEN"), "tök");
  strictEqual(find([`id=${file}`], file), "from file");
  strictEqual(find(["id=s,env=TOKEN"], "other"), undefined);
  strictEqual(find(["id=s,src=/nowhere", "id=s,env=TOKEN"], "s"), "tök");
});

for (const text of ["", "s", "src=/f", "id=", "id=s,what=x", "id=s,type=dir", "id=s,file"]) {
  Deno.test(`parseSecrets() refuses --secret=${text}`, () => {
    throws(() => parseSecrets([text], [], () => undefined), {
      message: `--secret: can’t understand: ${text}`,
    });
  });
}

Deno.test("Secrets.findSecret() says what cannot be had, when it is wanted", () => {
  throws(() => find(["id=s,env=UNSET"], "s"), {
    message: "--secret: s: not in environment: UNSET",
  });
  throws(() => find(["id=s,src=/nowhere/f"], "s"), {
    message: "--secret: s: can’t read: /nowhere/f",
  });
});

Deno.test("parseSecrets() finds agents", () => {
  const { findAgent } = parseSecrets([], ["default", "x=/other"], (name) => VARIABLES[name]);
  strictEqual(findAgent("default"), "/agent");
  strictEqual(findAgent("x"), "/other");
  strictEqual(findAgent("y"), undefined);
  strictEqual(NO_SECRETS.findAgent("default"), undefined);
  strictEqual(NO_SECRETS.findSecret("s"), undefined);
  for (const text of ["default", "x="]) {
    throws(() => parseSecrets([], [text], () => undefined), /no agent: SSH_AUTH_SOCK is not set/);
  }
});
