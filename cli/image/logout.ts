// ch-image logout: removes what login saved.

import { displayRegistry, removeLogin } from "../../lib/registry/saved_logins.ts";
import { parseRegistry } from "./registry_name.ts";
import type { SubCommand } from "./sub_command.ts";

export const logout: SubCommand = {
  name: "ch-image logout",
  summary: "Remove saved name and password for a registry",
  options: [],
  positionals: [{
    name: "REGISTRY",
    count: "optional",
    help: "HOST[:PORT]; default: the registry of references without a host",
  }],
  async run({ environment, log }, { positionals: [word] }) {
    const { host, port } = parseRegistry(word, environment);
    const name = `${host}:${port}`;
    const places = await removeLogin(name, environment);
    for (const place of places) log.info(`login for ${displayRegistry(name)} removed: ${place}`);
    if (places.length === 0) log.warning(`not logged in: ${displayRegistry(name)}`);
    return 0;
  },
};
