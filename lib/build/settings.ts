// CMD, ENTRYPOINT, EXPOSE, HEALTHCHECK, MAINTAINER, ONBUILD, STOPSIGNAL, USER, VOLUME: made ready, and what
// they do to an image's configuration. They change no file and nothing of the build itself.

import type {
  CommandForm,
  Configure,
  InstructionOption,
  Setting,
} from "../dockerfile/instruction.ts";
import { printJsonList } from "../dockerfile/print.ts";
import { ChError } from "../error.ts";
import type { Healthcheck, ImageSettings } from "../store/image_settings.ts";
import type { Prepared } from "./action.ts";
import { parseDuration } from "./duration.ts";

/** What a setting changes, and to what. */
export type SettingChange =
  | { readonly name: "CMD" | "ENTRYPOINT"; readonly argv: readonly string[] }
  | { readonly name: "EXPOSE" | "VOLUME"; readonly added: readonly string[] }
  | { readonly name: "HEALTHCHECK"; readonly check: Healthcheck }
  | { readonly name: "MAINTAINER" | "ONBUILD" | "STOPSIGNAL" | "USER"; readonly text: string };

/** The part of a stage's state that this needs. */
export interface SettingState {
  readonly shell: readonly string[];
  substitute(text: string): string;
}

export function prepareSetting({ setting }: Configure, state: SettingState): Prepared {
  const change = makeChange(setting, state);
  return {
    text: { name: setting.name, operands: describe(setting, change) },
    action: { op: "configure", change },
  };
}

/** The operands as written. */
export function describeSetting(setting: Setting): string {
  switch (setting.name) {
    case "CMD":
    case "ENTRYPOINT":
      return describeCommand(setting.command);
    case "EXPOSE":
    case "VOLUME":
      return setting.words.join(" ");
    case "HEALTHCHECK": {
      const { command, options } = setting;
      if (command === undefined) return "NONE";
      const shown = options.map(({ name, value }) => `--${name}=${value} `).join("");
      return `${shown}CMD ${describeCommand(command)}`;
    }
    case "MAINTAINER":
    case "ONBUILD":
    case "STOPSIGNAL":
    case "USER":
      return setting.text;
    default:
      return setting satisfies never;
  }
}

/**
 * SETTINGS with CHANGE made; VOLUME is not among them. A new entry point takes away a CMD that was not
 * made for it, that is, the base image's.
 */
export function applySetting(
  settings: ImageSettings,
  change: SettingChange,
  isCmdOwn: boolean,
): ImageSettings {
  switch (change.name) {
    case "CMD":
      return { ...settings, Cmd: change.argv };
    case "ENTRYPOINT": {
      const { Cmd, ...rest } = settings;
      const kept = isCmdOwn && Cmd !== undefined ? { Cmd } : {};
      return { ...rest, ...kept, Entrypoint: change.argv };
    }
    case "EXPOSE": {
      const ports = Object.fromEntries(change.added.map((port) => [port, {}]));
      return { ...settings, ExposedPorts: { ...settings.ExposedPorts, ...ports } };
    }
    case "HEALTHCHECK":
      return { ...settings, Healthcheck: change.check };
    case "ONBUILD":
      return { ...settings, OnBuild: [...settings.OnBuild ?? [], change.text] };
    case "STOPSIGNAL":
      return { ...settings, StopSignal: change.text };
    case "USER":
      return { ...settings, User: change.text };
    case "MAINTAINER":
    case "VOLUME":
      return settings;
    default:
      return change satisfies never;
  }
}

function makeChange(setting: Setting, state: SettingState): SettingChange {
  switch (setting.name) {
    case "CMD":
    case "ENTRYPOINT":
      return { name: setting.name, argv: toArgv(setting.command, state) };
    case "EXPOSE":
      return { name: "EXPOSE", added: splitAll(setting.words, state).flatMap(parsePorts) };
    case "VOLUME":
      return { name: "VOLUME", added: setting.words.map((word) => parseVolume(word, state)) };
    case "HEALTHCHECK":
      return { name: "HEALTHCHECK", check: makeCheck(setting) };
    case "STOPSIGNAL":
      return { name: "STOPSIGNAL", text: parseSignal(state.substitute(setting.text)) };
    case "USER":
      return { name: "USER", text: requireText("USER", state.substitute(setting.text)) };
    case "MAINTAINER":
    case "ONBUILD":
      return { name: setting.name, text: setting.text };
    default:
      return setting satisfies never;
  }
}

function describe(setting: Setting, change: SettingChange): string {
  switch (change.name) {
    case "EXPOSE":
    case "VOLUME":
      return change.added.join(" ");
    case "STOPSIGNAL":
    case "USER":
      return change.text;
    default:
      return describeSetting(setting);
  }
}

function describeCommand(command: CommandForm): string {
  return command.form === "list" ? printJsonList(command.argv) : command.command;
}

function toArgv(command: CommandForm, { shell }: SettingState): readonly string[] {
  return command.form === "list" ? command.argv : [...shell, command.command];
}

/** A variable may hold several words. */
function splitAll(words: readonly string[], state: SettingState): string[] {
  return words.flatMap((word) => state.substitute(word).split(/\s+/).filter((part) => part !== ""));
}

const MOST_PORTS = 65535;

/** `80`, `80/udp`, `8000-8010/tcp`. */
function parsePorts(word: string): string[] {
  const found = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(word);
  const [first, last] = [Number(found?.[1]), Number(found?.[2] ?? found?.[1])];
  if (found === null || last < first || last > MOST_PORTS) {
    throw new ChError(`EXPOSE: not a port: ${word}`, {
      hint: "PORT or PORT-PORT, with /tcp, /udp or /sctp behind it if wanted",
    });
  }
  const protocol = (found[3] ?? "tcp").toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`);
}

function parseVolume(word: string, state: SettingState): string {
  return requireText("VOLUME", state.substitute(word).trim());
}

function parseSignal(text: string): string {
  if (/^(?:SIG)?[A-Z][A-Z0-9+-]*$/.test(text)) return text;
  if (/^\d{1,2}$/.test(text) && Number(text) >= 1 && Number(text) <= 64) return text;
  throw new ChError(`STOPSIGNAL: not a signal: ${text}`);
}

function requireText(name: string, text: string): string {
  if (text === "") throw new ChError(`${name}: empty`);
  return text;
}

const TIMES: Readonly<Record<string, "Interval" | "Timeout" | "StartPeriod" | "StartInterval">> = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
};

function makeCheck({ options, command }: Extract<Setting, { name: "HEALTHCHECK" }>): Healthcheck {
  if (command === undefined) return { Test: ["NONE"] };
  const Test = command.form === "list" ? ["CMD", ...command.argv] : ["CMD-SHELL", command.command];
  return options.reduce<Healthcheck>(
    (check, option) => ({ ...check, ...readCheckOption(option) }),
    { Test },
  );
}

function readCheckOption({ name, value }: InstructionOption): Partial<Healthcheck> {
  const time = TIMES[name];
  if (time !== undefined) return { [time]: parseDuration(`HEALTHCHECK: --${name}`, value) };
  if (name !== "retries") throw new ChError(`HEALTHCHECK: invalid option --${name}`);
  if (!/^\d{1,6}$/.test(value)) throw new ChError(`HEALTHCHECK: --retries: not a number: ${value}`);
  return { Retries: Number(value) };
}
