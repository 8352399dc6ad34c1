// A machine made up, for tests of diagnosing.

import type { DoctorHost } from "../../../lib/doctor/host.ts";
import { type FakeFile, fakeHost } from "../container/fake_host.ts";

export interface DoctorHostOptions {
  readonly files?: Readonly<Record<string, FakeFile>>;
  readonly environment?: readonly string[];
  /** What programs print, by their names. */
  readonly programs?: Readonly<Record<string, string>>;
}

export function doctorHost(
  { files = {}, environment, programs = {} }: DoctorHostOptions,
): DoctorHost {
  const host = fakeHost({ files, ...environment && { environment } });
  return Object.assign(host, {
    list: (path: string) => {
      const names = Object.keys(files).filter((each) => each.startsWith(`${path}/`))
        .map((each) => each.slice(path.length + 1).split("/")[0]!);
      return [...new Set(names)].sort();
    },
    findProgram: (name: string) => name in programs ? `/usr/bin/${name}` : undefined,
    run: (path: string) => Promise.resolve(programs[path.slice("/usr/bin/".length)]),
  });
}
