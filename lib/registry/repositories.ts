// The places that have an image: mirrors of its registry, and at last the registry itself.

import type { ImageReference } from "../reference/reference.ts";
import { type Mirror, selectMirrors } from "./mirror.ts";
import { type RegistrySettings, Repository, type RepositoryName } from "./repository.ts";

export type CanonicalReference = ImageReference & RepositoryName;

/** To be asked in this order; dispose ends their connections. */
export class Repositories implements Disposable {
  readonly all: readonly [...Repository[], Repository];

  constructor(
    reference: CanonicalReference,
    settings: RegistrySettings,
    mirrors: readonly Mirror[],
  ) {
    const { path, name } = reference;
    const others = selectMirrors(mirrors, reference).map((mirror) =>
      new Repository(
        { host: mirror.host, port: mirror.port, path: [...mirror.path, ...path], name },
        { ...settings, plainHttp: settings.plainHttp || mirror.plainHttp },
      )
    );
    this.all = [...others, new Repository(reference, settings)];
  }

  [Symbol.dispose](): void {
    for (const repository of this.all) repository[Symbol.dispose]();
  }
}
