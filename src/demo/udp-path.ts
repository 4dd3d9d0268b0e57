/**
 * A bad link inside the process for UDP: a relay on two sockets with an emulated link each way, so that a tunnel can be shown on
 * a long, lossy path without root.
 *
 *   client ⇄ front socket ⇄ [ emulated link up / down ] ⇄ back socket ⇄ server
 *
 * It serves one client address at a time: the last one heard from.
 */
import { Batch, SLOT_BYTES } from "../base/batch.ts";
import type { Millis } from "../base/units.ts";
import { EmulatedLink } from "../emulator/link.ts";
import { parseLink } from "../emulator/parse.ts";
import type { Driver, Loop, UdpHandler, UdpSocket } from "../host/loop.ts";

export interface UdpPathOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly target: { readonly host: string; readonly port: number };
  /** "delay=100 loss=1% rate=20mbit qbytes=512k", for each direction. */
  readonly link: string;
  readonly seed: number;
}

const BATCH_DATAGRAMS = 64;

export class UdpPath implements Driver {
  readonly up: EmulatedLink;
  readonly down: EmulatedLink;
  readonly #front: UdpSocket;
  readonly #back: UdpSocket;
  readonly #server: number;
  readonly #batch = new Batch(BATCH_DATAGRAMS);
  #client = -1;

  /** @throws HostError when a socket cannot be had, ConfigError for a wrong link */
  constructor(loop: Loop, options: UdpPathOptions) {
    const link = parseLink(options.link);
    this.up = new EmulatedLink(link, options.seed);
    this.down = new EmulatedLink(link, options.seed + 1);
    this.#front = loop.udp(
      options.listen,
      this.#into(this.up, (peer) => this.#follow(peer)),
    );
    this.#back = loop.udp({ host: options.target.host.includes(":") ? "::" : "0.0.0.0", port: 0 }, this.#into(this.down));
    this.#server = this.#back.addresses.intern(options.target.host, options.target.port);
    this.#back.addresses.hold(this.#server);
    loop.drive(this);
  }

  /** Where the client sends to. */
  get port(): number {
    return this.#front.local.port;
  }

  /** Where the server sees the client. */
  get serverSidePort(): number {
    return this.#back.local.port;
  }

  advance(now: Millis): Millis {
    this.#drain(now, this.up, this.#back, this.#server);
    if (this.#client >= 0) this.#drain(now, this.down, this.#front, this.#client);
    return Math.min(this.up.deadline(), this.down.deadline());
  }

  close(): void {
    this.#front.close();
    this.#back.close();
  }

  #into(link: EmulatedLink, heard?: (peer: number) => void): UdpHandler {
    return {
      receive: (now, batch) => {
        for (let i = 0; i < batch.length; i++) {
          heard?.(batch.peer[i]!);
          link.receive(now, batch.bytes, batch.start[i]!, batch.end[i]!, 0);
        }
      },
      writable: () => {},
    };
  }

  #follow(peer: number): void {
    if (peer === this.#client) return;
    const { addresses } = this.#front;
    if (this.#client >= 0) addresses.release(this.#client);
    addresses.hold(peer);
    this.#client = peer;
  }

  /** What the socket does not take is lost, as on a real path. */
  #drain(now: Millis, link: EmulatedLink, socket: UdpSocket, peer: number): void {
    const batch = this.#batch;
    for (;;) {
      batch.length = 0;
      while (!batch.full) {
        const start = batch.length * SLOT_BYTES;
        const length = link.transmit(now, batch.bytes, start);
        if (length === 0) break;
        batch.start[batch.length] = start;
        batch.end[batch.length] = start + length;
        batch.peer[batch.length++] = peer;
      }
      if (batch.length === 0) return;
      socket.send(batch, 0);
    }
  }
}
