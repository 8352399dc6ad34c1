// How to talk to registries, from options and environment (spec ch-image §1.1, §1.2, §9).

import { ChError } from "../../lib/error.ts";
import { nameArchitecture } from "../../lib/registry/architecture.ts";
import type { AuthMode, Credentials } from "../../lib/registry/credentials.ts";
import { parseMirrors } from "../../lib/registry/mirror.ts";
import type { PullSettings } from "../../lib/registry/pull.ts";
import type { RegistrySettings } from "../../lib/registry/repository.ts";
import { findSavedLogin } from "../../lib/registry/saved_logins.ts";
import type { RegistryDefaults } from "../../lib/reference/canonical.ts";
import { type Arguments, findValue, isGiven } from "../options.ts";
import type { CommonOption } from "./common_options.ts";
import { canPrompt, promptCredentials } from "./prompt.ts";
import type { Context } from "./sub_command.ts";

/** Variables with a proxy for HTTPS, and with whom it is not for. */
const PROXIES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const EXCEPTIONS = ["no_proxy", "NO_PROXY"];

type Environment = ReadonlyMap<string, string>;

/** Throws a ChError for a variable that makes no sense. */
export function readPullSettings<Name extends string>(
  context: Context,
  args: Arguments<Name | CommonOption>,
): PullSettings {
  const { environment } = context;
  const wanted = findValue(args, "arch") ?? "host";
  const hostArchitecture = nameArchitecture(Deno.build.arch);
  return {
    registry: readRegistrySettings(context, args, readAuthMode(environment, args)),
    defaults: readRegistryDefaults(environment),
    mirrors: parseMirrors(environment.get("CH_REGY_MIRRORS") ?? ""),
    architecture: wanted === "host" ? hostArchitecture : wanted,
    hostArchitecture,
    always: isGiven(args, "always-download"),
  };
}

export function readRegistrySettings<Name extends string>(
  { environment, log, signal }: Context,
  args: Arguments<Name | CommonOption>,
  mode: AuthMode,
): RegistrySettings {
  const find = (names: readonly string[]) =>
    names.map((name) => environment.get(name)).find((value) => value);
  const proxies = { https: find(PROXIES), exceptions: find(EXCEPTIONS) ?? "" };
  return {
    trust: isGiven(args, "tls-no-verify")
      ? { verify: false, proxies }
      : { verify: true, bundle: find(["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]) },
    credentials: {
      mode,
      sources: {
        given: readGivenCredentials(environment),
        findSaved: (registry) => findSavedLogin(registry, environment),
        prompt: canPrompt() ? () => promptCredentials(signal) : undefined,
      },
      remember: !isGiven(args, "password-many"),
    },
    plainHttp: isGiven(args, "plain-http"),
    log,
    signal,
  };
}

/** The registry of references without a host. */
export function readRegistryDefaults(environment: Environment): RegistryDefaults {
  const host = environment.get("CH_REGY_DEFAULT_HOST");
  if (!host) return {};
  const port = environment.get("CH_REGY_DEFAULT_PORT");
  if (port !== undefined && !/^\d{1,5}$/.test(port)) {
    throw new ChError(`$CH_REGY_DEFAULT_PORT: not a port number: ${port}`);
  }
  const prefix = environment.get("CH_REGY_PATH_PREFIX") ?? "";
  return {
    host,
    ...port === undefined ? {} : { port: Number(port) },
    pathPrefix: prefix.split("/").filter((part) => part !== ""),
  };
}

function readAuthMode<Name extends string>(
  environment: Environment,
  args: Arguments<Name | CommonOption>,
): AuthMode {
  if (isGiven(args, "auth")) return "authenticated";
  const variable = environment.get("CH_IMAGE_AUTH");
  if (variable === undefined) return "saved";
  return variable === "yes" ? "authenticated" : "anonymous";
}

function readGivenCredentials(environment: Environment): Credentials | undefined {
  const username = environment.get("CH_IMAGE_USERNAME");
  const password = environment.get("CH_IMAGE_PASSWORD");
  if (username === undefined || password === undefined) return undefined;
  return { kind: "password", username, password };
}
