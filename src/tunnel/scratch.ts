/**
 * Memory that all sessions of a tunnel end share, so that what one does not need now serves another, and an idle session holds next to nothing.
 *
 *   inbound, frame, span, recovered    room to work in: nothing in it outlives a call
 *   pieces, batches                    lent while a stream gathers, while a socket has something to send
 *   segments, shards                   what waits: payloads to be read, shards for others of their group
 */
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import { Pieces } from "../base/pieces.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { SHARD_OFFSET } from "../fec/packet.ts";
import { ShardPool } from "../fec/shard-pool.ts";
import { PACKET_BYTES_MAX } from "../kcp/segment.ts";
import { SegmentStore } from "../kcp/segment-store.ts";
import { giveRegion, takeRegion } from "../kernel/kernels.ts";
import { HEADER_BYTES } from "../smux/frame.ts";
import { SnappyEncoder } from "../snappy/encoder.ts";
import { FrameSpan } from "./frame-span.ts";

/** Tuning: received bytes demultiplexed at once, and pieces of them that one stream gathers before they are written. */
const INBOUND_BYTES: Bytes = 131_072;
const GATHERED_MAX = 64;
/** Lists of pieces kept for later: one a stream that receives at the same time. */
const SPARE_PIECES_MAX = 256;
/** Batches kept for later: more are lent only while so many sockets are full. */
const SPARE_BATCHES_MAX = 4;
/** Memory that was not needed for so long is let go of. */
const TRIM_MS: Millis = 10_000;

export class Scratch {
  readonly inbound = takeRegion(INBOUND_BYTES);
  /** A frame before it is compressed. */
  readonly frame = takeRegion(65_536 + HEADER_BYTES);
  /** A frame compressed. */
  readonly chunk = takeRegion(SnappyEncoder.encodedBytesMax(65_536));
  readonly framePayload = new Pieces(1);
  readonly span = new FrameSpan();
  /** A packet that FEC has rebuilt. */
  readonly recovered = takeRegion(SLOT_BYTES);
  readonly segments = new SegmentStore();
  readonly shards = new ShardPool(PACKET_BYTES_MAX - SHARD_OFFSET);
  readonly #sparePieces: Pieces[] = [];
  readonly #spareBatches: Batch[] = [];
  #trimAt: Millis = 0;

  /** For a stream that gathers what it has received. */
  takePieces(): Pieces {
    return this.#sparePieces.pop() ?? new Pieces(GATHERED_MAX);
  }

  givePieces(pieces: Pieces): void {
    pieces.clear();
    if (this.#sparePieces.length < SPARE_PIECES_MAX) this.#sparePieces.push(pieces);
  }

  /** For a socket that sends so many datagrams at once; it keeps it while it is full. */
  takeBatch(datagrams: number): Batch {
    for (let i = this.#spareBatches.length - 1; i >= 0; i--) {
      const batch = this.#spareBatches[i]!;
      if (batch.capacity !== datagrams) continue;
      this.#spareBatches[i] = this.#spareBatches.at(-1)!;
      this.#spareBatches.pop();
      return batch;
    }
    return new Batch(datagrams, takeRegion(datagrams * SLOT_BYTES));
  }

  giveBatch(batch: Batch): void {
    batch.length = 0;
    if (this.#spareBatches.length < SPARE_BATCHES_MAX) this.#spareBatches.push(batch);
    else giveRegion(batch.slab);
  }

  /** Lets go of what nobody has needed for a while; called whenever there is something else to do, as nothing hangs on it. */
  trim(now: Millis): void {
    if (now < this.#trimAt) return;
    this.#trimAt = now + TRIM_MS;
    this.segments.trim();
    this.shards.trim();
  }
}
