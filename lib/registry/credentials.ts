// Who we are, for a registry: asked for only when one wants to know (spec ch-image §9.3).

import { ChError } from "../error.ts";

export type Credentials =
  | { readonly kind: "password"; readonly username: string; readonly password: string }
  /** What an earlier login was exchanged for (OAuth 2 refresh token). */
  | { readonly kind: "identity"; readonly token: string };

/** Where credentials may come from, in this order. */
export interface CredentialSources {
  /** CH_IMAGE_USERNAME and CH_IMAGE_PASSWORD, if both are set. */
  readonly given: Credentials | undefined;
  /** Saved logins for the registry "HOST:PORT". */
  findSaved(registry: string): Promise<Credentials | undefined>;
  /** Asks the user; undefined where nobody can be asked. */
  prompt?: ((registry: string) => Promise<Credentials>) | undefined;
}

/**
 * `anonymous`: nothing about the user is ever sent. `saved`: a login saved for the registry is used if
 * there is one. `authenticated`: all sources, the user at last.
 */
export type AuthMode = "anonymous" | "saved" | "authenticated";

export interface CredentialSettings {
  readonly mode: AuthMode;
  readonly sources: CredentialSources;
  /** False: forgotten after each use (--password-many). */
  readonly remember: boolean;
}

/** The credentials for one registry, looked for when first wanted. */
export class Keyring {
  #found: Promise<Credentials | undefined> | undefined;

  constructor(readonly registry: string, readonly settings: CredentialSettings) {}

  /** Undefined in a mode that has none. Throws a ChError if the user cannot be asked. */
  find(): Promise<Credentials | undefined> {
    if (this.#found !== undefined) return this.#found;
    const found = this.#look();
    if (this.settings.remember) this.#found = found;
    return found;
  }

  async #look(): Promise<Credentials | undefined> {
    const { mode, sources } = this.settings;
    switch (mode) {
      case "anonymous":
        return undefined;
      case "saved":
        return await sources.findSaved(this.registry);
      case "authenticated": {
        const found = sources.given ?? await sources.findSaved(this.registry);
        if (found !== undefined) return found;
        if (sources.prompt !== undefined) return await sources.prompt(this.registry);
        throw new ChError(`no credentials for registry: ${this.registry}`, {
          hint: "set CH_IMAGE_USERNAME and CH_IMAGE_PASSWORD, or use “ch-image login”",
        });
      }
      default:
        return mode satisfies never;
    }
  }
}

/** Value of an Authorization header. */
export function basicAuthorization(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${bytes.toBase64()}`;
}
