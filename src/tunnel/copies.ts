/**
 * What a session sends over a second way as well (option copies): the client says with its probes which way that is and how much of it, and both ends do so.
 *
 * What is copied is the datagram as it is before the cipher, so that the peer's FEC knows it again: whichever of the two comes first counts.
 */
import { type Batch, SLOT_BYTES } from "../base/batch.ts";
import { type Bytes, type Millis, NEVER } from "../base/units.ts";
import type { Kcp } from "../kcp/kcp.ts";
import { CopyBudget, type CopyKind } from "../rate/copy-budget.ts";

/** A server stops when the client has not asked for so long: its probes come once a second at least. */
const ASKED_MS: Millis = 2500;

/** So many that came are remembered: a second of a stream. */
const CAME_BITS = 11;
const CAME = 1 << CAME_BITS;

export class Copies {
  readonly budget = new CopyBudget();
  /** Whom, −1: nobody. */
  peer = -1;
  sentDatagrams = 0;
  sentBytes: Bytes = 0;
  #until: Millis = 0;
  /** Numbers of FEC packets that came lately, plus one, each where its hash says. */
  readonly #came = new Uint32Array(CAME);

  /** A client's choice: copies go to this peer, −1: to nobody. `share` of what is sent, 0 … 1. */
  to(peer: number, share: number): void {
    this.peer = share > 0 ? peer : -1;
    this.budget.share = share;
    this.#until = NEVER;
  }

  /** A server's: the client's probe from this peer asks for it; a share of 0 asks for none there. */
  asked(now: Millis, peer: number, share: number): void {
    if (share > 0) this.to(peer, share);
    else if (this.peer === peer) this.peer = -1;
    this.#until = now + ASKED_MS;
  }

  /** The FEC packet of this number came, or was rebuilt: false when it had before, so far as is remembered. */
  first(seqid: number): boolean {
    const at = Math.imul(seqid, 0x9e3779b1) >>> (32 - CAME_BITS);
    if (this.#came[at] === (seqid + 1) >>> 0) return false;
    this.#came[at] = seqid + 1;
    return true;
  }

  /** Once a round. */
  advance(now: Millis): void {
    if (now > this.#until) this.peer = -1;
  }

  /** Datagrams that the batch has to have room for besides the next one. */
  get room(): number {
    return this.peer < 0 ? 0 : 1;
  }

  /** The batch's last datagram, of `kind`, has been laid: another one like it, where that is worth it. True when it was. */
  follow(batch: Batch, kind: CopyKind): boolean {
    const { peer, budget } = this;
    if (peer < 0) return false;
    const from = batch.length - 1;
    const start = batch.start[from]!;
    const end = batch.end[from]!;
    budget.earn(end - start);
    if (batch.full || batch.peer[from] === peer || !budget.takes(kind, end - start)) return false;
    const slot = batch.slot(from);
    // What lies elsewhere, where KCP keeps it, is not written to: two may lie there.
    const inPlace = start < slot || end > slot + SLOT_BYTES;
    const at = inPlace ? start : start + SLOT_BYTES;
    if (!inPlace) batch.bytes.copyWithin(at, start, end);
    batch.add(at, at + end - start, peer);
    this.sentDatagrams++;
    this.sentBytes += end - start;
    return true;
  }
}

/** Of what was written last: a message, `numbered` by FEC or not, or KCP's. */
export function copyKind(kcp: Kcp, message: boolean, numbered: boolean): CopyKind | undefined {
  // Without a number a flow's message that comes twice is handed out twice.
  if (message) return numbered ? "last" : undefined;
  if (kcp.wrote === 1) return "resent";
  return kcp.wrote > 0 && !kcp.hasData ? "last" : "other";
}
