/**
 * Datagrams with a header of the PROXY protocol in front, every one of them: a receiver cannot know which is the first.
 *
 * Source: "The PROXY protocol", section 2.2, over UDP as PowerDNS's dnsdist and Cloudflare's Spectrum send it.
 */
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import { type ProxiedAddress, proxyHeader } from "../host/proxy-protocol.ts";

/** Shared by all flows of a thread: what it holds is sent before the next one uses it. */
export class ProxySlab {
  readonly batch = new Batch(256);
  /** Datagrams that do not fit with the header, or were too many at once. */
  dropped = 0;
}

export class ProxiedDatagrams {
  readonly #slab: ProxySlab;
  readonly #header: Uint8Array;

  constructor(slab: ProxySlab, source: ProxiedAddress, destination: ProxiedAddress) {
    this.#slab = slab;
    this.#header = proxyHeader(source, destination, "UDP");
  }

  /** Borrowed until the next call of anybody. */
  wrap(run: Batch, peer: number): Batch {
    const { batch } = this.#slab;
    const header = this.#header;
    batch.length = 0;
    for (let i = 0; i < run.length; i++) {
      const start = run.start[i]!;
      const end = run.end[i]!;
      if (batch.full || header.length + end - start > SLOT_BYTES) {
        this.#slab.dropped++;
        continue;
      }
      const at = batch.slot(batch.length);
      batch.bytes.set(header, at);
      batch.bytes.set(run.bytes.subarray(start, end), at + header.length);
      batch.add(at, at + header.length + end - start, peer);
    }
    return batch;
  }
}
