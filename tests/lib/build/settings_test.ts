import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { applySetting, prepareSetting } from "../../../lib/build/settings.ts";
import type { Configure } from "../../../lib/dockerfile/instruction.ts";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";
import type { ImageSettings } from "../../../lib/store/image_settings.ts";

function prepare(text: string) {
  const { instructions } = parseDockerfile({ file: "Dockerfile", text: `FROM a\n${text}\n` });
  return prepareSetting(instructions[1] as Configure, {
    shell: ["/bin/sh", "-c"],
    substitute: (text) => text.replaceAll("$V", "val"),
  });
}

function change(text: string) {
  const { action } = prepare(text);
  if (action.op !== "configure") throw new Error("not a setting");
  return action.change;
}

const SECOND = 1e9;

for (
  const [text, settings] of [
    ['CMD ["a", "$V"]', { Cmd: ["a", "$V"] }],
    ["CMD a $V", { Cmd: ["/bin/sh", "-c", "a $V"] }],
    ["CMD []", { Cmd: [] }],
    ['ENTRYPOINT ["/e"]', { Entrypoint: ["/e"] }],
    ["EXPOSE 80 443/tcp 53/udp", {
      ExposedPorts: { "80/tcp": {}, "443/tcp": {}, "53/udp": {} },
    }],
    ["EXPOSE 8000-8002/udp", {
      ExposedPorts: { "8000/udp": {}, "8001/udp": {}, "8002/udp": {} },
    }],
    ["USER $V:staff", { User: "val:staff" }],
    ["STOPSIGNAL SIGTERM", { StopSignal: "SIGTERM" }],
    ["STOPSIGNAL RTMIN+3", { StopSignal: "RTMIN+3" }],
    ["STOPSIGNAL 9", { StopSignal: "9" }],
    ["ONBUILD RUN echo $V", { OnBuild: ["RUN echo $V"] }],
    ["HEALTHCHECK NONE", { Healthcheck: { Test: ["NONE"] } }],
    ["HEALTHCHECK CMD curl $V", { Healthcheck: { Test: ["CMD-SHELL", "curl $V"] } }],
    ['HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=2s --retries=3 CMD ["c"]', {
      Healthcheck: {
        Test: ["CMD", "c"],
        Interval: 90 * SECOND,
        Timeout: SECOND / 2,
        StartPeriod: 2 * SECOND,
        Retries: 3,
      },
    }],
    // No part of the configuration that is kept here.
    ["VOLUME /data", {}],
    ["MAINTAINER somebody", {}],
  ] as const
) {
  Deno.test(`${text} becomes configuration`, () => {
    deepStrictEqual(applySetting({}, change(text), false), settings);
  });
}

for (
  const [text, message] of [
    ["EXPOSE 0x50", /^EXPOSE: /],
    ["EXPOSE 70000", /^EXPOSE: /],
    ["EXPOSE 9-8", /^EXPOSE: /],
    ["STOPSIGNAL 99", "STOPSIGNAL: not a signal: 99"],
    ["STOPSIGNAL kill it", "STOPSIGNAL: not a signal: kill it"],
    ["HEALTHCHECK --interval=soon CMD x", /^HEALTHCHECK: --interval: not a duration: soon/],
    ["HEALTHCHECK --retries=x CMD x", "HEALTHCHECK: --retries: not a number: x"],
    ["HEALTHCHECK --colour=red CMD x", "HEALTHCHECK: invalid option --colour"],
  ] as const
) {
  Deno.test(`${text} is refused`, () => {
    throws(() => change(text), { message });
  });
}

const BASE: ImageSettings = { Cmd: ["base"], OnBuild: ["RUN a"], ExposedPorts: { "1/tcp": {} } };

Deno.test("ENTRYPOINT takes the base image's CMD away, but not the file's own", () => {
  const entry = change('ENTRYPOINT ["/e"]');
  strictEqual(applySetting(BASE, entry, false).Cmd, undefined);
  deepStrictEqual(applySetting(BASE, entry, true).Cmd, ["base"]);
});

Deno.test("EXPOSE and ONBUILD add to what the base has", () => {
  const exposed = applySetting(BASE, change("EXPOSE 2"), false).ExposedPorts;
  deepStrictEqual(exposed, { "1/tcp": {}, "2/tcp": {} });
  deepStrictEqual(applySetting(BASE, change("ONBUILD RUN b"), false).OnBuild, ["RUN a", "RUN b"]);
});

for (
  const [text, operands] of [
    ["EXPOSE 80", "80/tcp"],
    ["USER $V", "val"],
    ['CMD ["a", "b"]', '["a", "b"]'],
    ["HEALTHCHECK --retries=1 CMD x y", "--retries=1 CMD x y"],
    ["HEALTHCHECK NONE", "NONE"],
    ["VOLUME /a /$V", "/a /val"],
  ] as const
) {
  Deno.test(`${text} is announced as ${operands}`, () => {
    strictEqual(prepare(text).text.operands, operands);
  });
}
