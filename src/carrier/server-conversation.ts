/** One conversation at the server: a UDP socket towards the target. Only what the target answers comes in. */
import type { Batch } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { ipFamily } from "../host/ip-address.ts";
import type { Loop, UdpSocket } from "../host/loop.ts";
import type { Sorted } from "./onward-pieces.ts";
import type { HostPort } from "./settings.ts";

export class ServerConversation implements Sorted {
  firstPiece = -1;
  lastPiece = -1;
  /** When a datagram of the client came last: those of the target alone do not keep it. */
  usedAt: Millis;
  readonly #socket: UdpSocket;
  readonly #target: number;

  /** `receive` is given the target's datagrams. @throws HostError when there is no socket to be had */
  constructor(loop: Loop, target: HostPort, socketBufferBytes: number, now: Millis, receive: (now: Millis, batch: Batch) => void) {
    this.usedAt = now;
    const host = ipFamily(target.host) === 6 ? "::" : "0.0.0.0";
    const handler = {
      receive: (at: Millis, batch: Batch) => {
        this.#keepTarget(batch);
        receive(at, batch);
      },
      writable: () => undefined,
    };
    this.#socket = loop.udp({ host, port: 0, peersMax: 8, socketBufferBytes }, handler);
    this.#target = this.#socket.addresses.intern(target.host, target.port);
    this.#socket.addresses.hold(this.#target);
  }

  /** Sends the batch's datagrams to the target; answers how many were taken. */
  send(now: Millis, batch: Batch): number {
    this.usedAt = now;
    batch.peer.fill(this.#target, 0, batch.length);
    return this.#socket.send(batch, 0);
  }

  close(): void {
    this.#socket.close();
  }

  /** Others may know the port. */
  #keepTarget(batch: Batch): void {
    let kept = 0;
    for (let i = 0; i < batch.length; i++) {
      // Whom we call has one id, whichever address of ours it answers to.
      if (batch.peer[i] !== this.#target) continue;
      batch.start[kept] = batch.start[i]!;
      batch.end[kept] = batch.end[i]!;
      kept++;
    }
    batch.length = kept;
  }
}
