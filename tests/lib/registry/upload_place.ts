// A repository of a made-up registry, for tests of uploading.

import assert from "node:assert/strict";
import { toLocalBlob } from "../../../lib/registry/local_blob.ts";
import { Repository } from "../../../lib/registry/repository.ts";
import { type RemoteBlob, uploadBlob, type UploadTools } from "../../../lib/registry/upload.ts";
import { PIECE } from "../../../lib/registry/upload_session.ts";
import { digestOf, FakeRegistry } from "../../fake_registry.ts";
import { RecordingLog } from "../recording_log.ts";
import { ANONYMOUS } from "./pull_place.ts";

/** Two and a half pieces. */
export const LARGE = new Uint8Array(20 << 20).map((_, at) => at >> 12);
export const SMALL = new Uint8Array(1000).fill(7);

export interface UploadPlace {
  readonly registry: FakeRegistry;
  readonly repository: Repository;
  readonly log: RecordingLog;
  /** In the order in which it was told: the check, how large it is, how much was sent. */
  readonly told: string[];
  readonly tools: UploadTools;
  upload(bytes: Uint8Array<ArrayBuffer>, remote?: Partial<RemoteBlob>): Promise<string>;
}

export function atUploadPlace(body: (place: UploadPlace) => Promise<void>): () => Promise<void> {
  return async () => {
    await using registry = new FakeRegistry();
    const log = new RecordingLog();
    const name = { host: "127.0.0.1", port: registry.port, path: ["a"], name: "b" };
    using repository = new Repository(name, {
      trust: { verify: true },
      credentials: ANONYMOUS,
      plainHttp: true,
      retries: { pauses: [1, 1], patience: 20_000 },
      log,
    });
    const told: string[] = [];
    const tools: UploadTools = {
      buffer: new Uint8Array(PIECE),
      onCheck: () => void told.push("check"),
      onStart: (size) => void told.push(`start ${size}`),
      onProgress: (sent) => void told.push(`sent ${sent}`),
    };
    await body({
      registry,
      repository,
      log,
      told,
      tools,
      async upload(bytes, remote = {}) {
        const digest = await digestOf(bytes);
        const local = toLocalBlob(digest, bytes);
        const blob = { digest, size: bytes.length, from: undefined, local, ...remote };
        return await uploadBlob(repository, blob, tools);
      },
    });
  };
}

export async function assertStored({ registry }: UploadPlace, bytes: Uint8Array<ArrayBuffer>) {
  assert.deepEqual([...registry.blobs.keys()], [await digestOf(bytes)]);
  assert.equal(registry.uploads.size, 0);
}

/** How often the registry was asked so. */
export function count({ registry }: UploadPlace, method: string): number {
  return registry.asked.filter((one) => one.method === method).length;
}
