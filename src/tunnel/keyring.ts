/**
 * The ciphers of all users on one UDP port: finds out whose datagram one is.
 *
 *   known peer     its user's cipher, all datagrams of the user in a row at once      nothing is tried, nothing is allocated
 *   unknown peer   copy → try user after user, most recently found first → checksum or tag right: the peer is that user's
 *
 * Tries are bounded for a datagram (the peer's next one goes on where this one stopped, KCP sends it again) and for a second, so that a
 * flood of strangers costs a bounded share of the processor; datagrams beyond are dropped and counted. While that lasts a new address of
 * a user waits as well; peers that are known do not notice.
 * A checksum of 32 bits is right by chance once in four thousand million tries, and the packet must make sense besides.
 * With one user there is nothing to find: it is opened where it lies and no bound is needed.
 */
import { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import type { Envelope } from "./envelope.ts";
import type { Lock } from "./lock.ts";
import type { Users } from "./users.ts";

export class Keyring implements Envelope {
  readonly #users: Users;
  readonly #scratch = new Batch(1);
  /** By peer: the key that opens what comes from there, and the session's, that seals what goes there. */
  readonly #opening: (Lock | undefined)[] = [];
  readonly #sealing: (Lock | undefined)[] = [];
  /** By peer: the key last found, and the next user to try. */
  readonly #found: (Lock | undefined)[] = [];
  readonly #tried: number[] = [];

  constructor(users: Users) {
    this.#users = users;
    users.keyrings.push(this);
  }

  open(now: Millis, batch: Batch): void {
    const { length } = batch;
    const opening = this.#opening;
    for (let i = 0; i < length; ) {
      const lock = opening[batch.peer[i]!];
      if (lock === undefined) {
        this.#find(now, batch, i++);
        continue;
      }
      const first = i++;
      while (i < length && opening[batch.peer[i]!] === lock) i++;
      batch.length = i;
      lock.cipher.open(batch, first);
      batch.length = length;
    }
  }

  seal(batch: Batch, from: number): void {
    const { length } = batch;
    const sealing = this.#sealing;
    for (let i = from; i < length; ) {
      const lock = sealing[batch.peer[i]!]!;
      const first = i++;
      while (i < length && sealing[batch.peer[i]!] === lock) i++;
      batch.length = i;
      lock.cipher.seal(batch, first);
      batch.length = length;
    }
  }

  /** The key that opened this peer's last datagrams. */
  lockOf(peer: number): Lock | undefined {
    return this.#opening[peer] ?? this.#found[peer];
  }

  /** A session under this key begins with this peer. */
  bind(peer: number, lock: Lock): void {
    this.#reach(peer);
    this.#opening[peer] = lock;
    this.#sealing[peer] = lock;
  }

  /** The session has ended. */
  unbind(peer: number): void {
    this.#sealing[peer] = undefined;
    this.#opening[peer] = undefined;
  }

  /** The peer may have become another user's: its next datagram is tried with all. */
  doubt(peer: number): void {
    this.#reach(peer);
    this.#opening[peer] = undefined;
  }

  /** Nothing that comes from a peer without a session is opened with this key any more. */
  forget(lock: Lock): void {
    for (let peer = 0; peer < this.#opening.length; peer++) {
      if (this.#opening[peer] === lock && this.#sealing[peer] !== lock) this.#opening[peer] = undefined;
      if (this.#found[peer] === lock) this.#found[peer] = undefined;
    }
  }

  #reach(peer: number): void {
    while (this.#opening.length <= peer) {
      this.#opening.push(undefined);
      this.#sealing.push(undefined);
      this.#found.push(undefined);
      this.#tried.push(0);
    }
  }

  #find(now: Millis, batch: Batch, index: number): void {
    const users = this.#users;
    const peer = batch.peer[index]!;
    this.#reach(peer);
    const { all } = users;
    if (all.length === 1) {
      this.#openInPlace(batch, index, all[0]!);
      return;
    }
    const found = this.#found[peer];
    if (found !== undefined && this.#opens(found, batch, index)) {
      this.#opening[peer] = found;
      return;
    }
    users.stats.strangers++;
    const tries = Math.min(all.length, users.triesPerDatagram);
    for (let k = 0; k < tries; k++) {
      const at = (this.#tried[peer]! + k) % all.length;
      if (!users.spendTry(now)) {
        users.stats.triesRefused++;
        this.#tried[peer] = at;
        batch.end[index] = batch.start[index]!;
        return;
      }
      const lock = all[at]!;
      if (!this.#opens(lock, batch, index)) continue;
      users.found(at);
      this.#found[peer] = lock;
      this.#opening[peer] = lock;
      this.#tried[peer] = 0;
      return;
    }
    users.stats.unreadable++;
    this.#tried[peer] = (this.#tried[peer]! + tries) % Math.max(1, all.length);
    batch.end[index] = batch.start[index]!;
  }

  #openInPlace(batch: Batch, index: number, lock: Lock): void {
    const { length } = batch;
    batch.length = index + 1;
    lock.cipher.open(batch, index);
    batch.length = length;
    this.#found[batch.peer[index]!] = lock;
  }

  /** Opens a copy, and puts it in the datagram's place when the key was right. */
  #opens({ cipher }: Lock, batch: Batch, index: number): boolean {
    const scratch = this.#scratch;
    const start = batch.start[index]!;
    const length = batch.end[index]! - start;
    if (length > scratch.bytes.length) return false;
    scratch.bytes.set(batch.bytes.subarray(start, start + length));
    scratch.start[0] = 0;
    scratch.end[0] = length;
    scratch.length = 1;
    // What fails here is no damaged datagram of that user.
    const { shortDatagrams, longDatagrams, checksumErrors } = cipher.stats;
    cipher.open(scratch);
    const [from, to] = [scratch.start[0], scratch.end[0]];
    if (to <= from) {
      cipher.stats.shortDatagrams = shortDatagrams;
      cipher.stats.longDatagrams = longDatagrams;
      cipher.stats.checksumErrors = checksumErrors;
      return false;
    }
    batch.bytes.set(scratch.bytes.subarray(from, to), start + from);
    batch.start[index] = start + from;
    batch.end[index] = start + to;
    return true;
  }
}
