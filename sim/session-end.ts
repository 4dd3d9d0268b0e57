/** One end of a session without a network: what it sends is handed straight to the other end, sealed and opened as endpoints do. */
import assert from "node:assert/strict";
import { Batch } from "../src/base/batch.ts";
import { createCipher, type PacketCipher } from "../src/cipher/cipher.ts";
import { primitives } from "../src/host/crypto.ts";
import { silentLog } from "../src/host/log.ts";
import { ChannelCounters } from "../src/tunnel/channel-counters.ts";
import type { clientConfig } from "../src/tunnel/config.ts";
import { Scratch } from "../src/tunnel/scratch.ts";
import { Session } from "../src/tunnel/session.ts";
import type { SessionOptions } from "../src/tunnel/session-options.ts";

/** Between two ends; nothing in it outlives a round. */
const batch = new Batch(64);

export class SessionEnd {
  readonly counters = new ChannelCounters();
  readonly session: Session;
  readonly cipher: PacketCipher;
  /** Sent so far. */
  packets = 0;

  /** `more`: what the peer opens, and what we can. */
  constructor(
    role: "client" | "server",
    config: ReturnType<typeof clientConfig.parse>,
    more: Partial<Pick<SessionOptions, "opened" | "flowOpened" | "features" | "scratch">> = {},
  ) {
    this.cipher = createCipher(config.crypt, primitives.deriveKey("k"), primitives);
    this.session = new Session(0, {
      ...{ role, conv: 1, peer: 0, peerName: role, config, features: 0, log: silentLog, counters: this.counters },
      cipherBytes: this.cipher.headBytes + this.cipher.tailBytes,
      scratch: more.scratch ?? new Scratch(),
      wake: () => {},
      flowOpened: () => ({ verdict: 1, reason: "none" }),
      opened: () => {},
      ...more,
    });
  }

  /** Sends what is due. */
  round(now: number, to: SessionEnd): void {
    const { session, cipher } = this;
    session.advance(now);
    for (let drained = false; !drained; ) {
      batch.length = 0;
      drained = session.transmit(now, batch);
      cipher.seal(batch, 0);
      this.packets += batch.length;
      to.cipher.open(batch);
      for (let i = 0; i < batch.length; i++) {
        assert.ok(batch.end[i]! > batch.start[i]!);
        to.session.receive(now, batch.bytes, batch.view, batch.start[i]!, batch.end[i]!);
      }
    }
  }
}
