// Blobs in memory, for tests.

import { type BlobSink, type BlobSource, verifyBlob } from "../../../lib/oci/blobs.ts";
import { digestBytes } from "../../../lib/oci/digest.ts";
import type { Descriptor } from "../../../lib/oci/model.ts";
import { collect } from "../../byte_streams.ts";
import { chunksOf } from "../../tree_fixture.ts";

export class MemoryBlobs implements BlobSource, BlobSink {
  readonly blobs = new Map<string, Uint8Array>();
  writes = 0;

  read(blob: Descriptor): AsyncIterable<Uint8Array> {
    const bytes = this.blobs.get(blob.digest) ?? new Uint8Array();
    return verifyBlob(chunksOf(bytes, 10_000), blob, blob.digest);
  }

  has({ digest }: Pick<Descriptor, "digest">): Promise<boolean> {
    return Promise.resolve(this.blobs.has(digest));
  }

  async write(mediaType: string, chunks: AsyncIterable<Uint8Array>): Promise<Descriptor> {
    this.writes++;
    return await this.put(mediaType, await collect(chunks));
  }

  async put(mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    const digest = await digestBytes(bytes);
    this.blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  putJson(mediaType: string, value: unknown): Promise<Descriptor> {
    return this.put(mediaType, new TextEncoder().encode(JSON.stringify(value)));
  }
}
