// ch-image login: saves name and password for a registry, once it has accepted them.

import { ChError } from "../../lib/error.ts";
import type { Credentials } from "../../lib/registry/credentials.ts";
import { verifyLogin } from "../../lib/registry/login.ts";
import { displayRegistry, saveLogin } from "../../lib/registry/saved_logins.ts";
import { defineOptions, findValue, isGiven } from "../options.ts";
import { canPrompt, promptCredentials, readPasswordFromInput } from "./prompt.ts";
import { parseRegistry } from "./registry_name.ts";
import { readRegistrySettings } from "./registry_settings.ts";
import type { Context, SubCommand } from "./sub_command.ts";

const OPTIONS = defineOptions([
  {
    long: "password-stdin",
    argument: "none",
    repeat: "idempotent",
    help: "read the password from standard input",
  },
  {
    long: "username",
    short: "u",
    argument: "required",
    placeholder: "NAME",
    repeat: "last",
    help: "name to log in by",
  },
]);

export const login: SubCommand<typeof OPTIONS[number]["long"]> = {
  name: "ch-image login",
  summary: "Save name and password for a registry, where podman and Docker find them, too",
  options: OPTIONS,
  positionals: [{
    name: "REGISTRY",
    count: "optional",
    help: "HOST[:PORT]; default: the registry of references without a host",
  }],
  async run(context, args) {
    const { environment, log } = context;
    const registry = parseRegistry(args.positionals[0], environment);
    const credentials = await findCredentials(
      context,
      findValue(args, "username"),
      isGiven(args, "password-stdin"),
    );
    const settings = readRegistrySettings(context, args, "authenticated");
    await verifyLogin(registry, credentials, settings);
    const name = `${registry.host}:${registry.port}`;
    const { username, password } = credentials;
    const place = await saveLogin(name, username, password, environment);
    log.info(`login for ${displayRegistry(name)} saved: ${place}`);
    return 0;
  },
};

async function findCredentials(
  { environment, signal }: Context,
  username: string | undefined,
  fromInput: boolean,
): Promise<Credentials & { readonly kind: "password" }> {
  const name = username ?? environment.get("CH_IMAGE_USERNAME");
  if (fromInput) {
    if (name === undefined) throw new ChError("--password-stdin needs --username");
    return { kind: "password", username: name, password: await readPasswordFromInput() };
  }
  const password = environment.get("CH_IMAGE_PASSWORD");
  if (name !== undefined && password !== undefined) {
    return { kind: "password", username: name, password };
  }
  if (canPrompt()) return await promptCredentials(signal, name);
  throw new ChError("no terminal to ask for name and password", {
    hint: "use --username and --password-stdin, or CH_IMAGE_USERNAME and CH_IMAGE_PASSWORD",
  });
}
