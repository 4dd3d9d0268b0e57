/**
 * Sessions of a port whose clients come from several addresses (extension/way-message.ts): who shows a session's token, under its key, belongs to it.
 *
 * A probe that was recorded and is played again, from elsewhere, has a number that has passed.
 */
import type { Probe } from "../extension/way-message.ts";
import type { Session } from "./session.ts";

/** Addresses of a session at most. */
const ADDRESSES_MAX = 8;
/** Probes of different ways overtake one another by so many. */
const WINDOW = 256;

interface Visitor {
  token: string;
  newest: number;
  used: number;
  readonly peers: number[];
}

export class Visitors {
  /** Probes that were not believed: a wrong token, or one that was seen before; and addresses beyond the limit. */
  refused = 0;
  readonly #visitors = new Map<Session, Visitor>();

  /** The session has said at its own address who it is. */
  introduce(session: Session, probe: Probe): void {
    if (!this.#visitors.has(session)) this.#visitors.set(session, { token: probe.token, newest: probe.n, used: 0, peers: [session.peer] });
  }

  /** Whether the probe from this peer is one of the session's; a new address is then one of its own. */
  admits(session: Session, peer: number, probe: Probe): boolean {
    const visitor = this.#visitors.get(session);
    const known = visitor?.peers.includes(peer) === true;
    const fresh = visitor !== undefined && visitor.token === probe.token && probe.n + WINDOW > visitor.newest;
    if (!fresh || (!known && visitor.peers.length >= ADDRESSES_MAX)) {
      this.refused++;
      return false;
    }
    visitor.newest = Math.max(visitor.newest, probe.n);
    if (!known) visitor.peers.push(peer);
    return true;
  }

  /** Whether the client asks that it be sent to where this probe came from, and did not ask for something else since. */
  moves(session: Session, peer: number, probe: Probe): boolean {
    const visitor = this.#visitors.get(session);
    if (visitor === undefined || !probe.use || probe.n <= visitor.used) return false;
    visitor.used = probe.n;
    return session.peer !== peer;
  }

  /** The session with this token; `conv` too must be right. */
  find(conv: number, token: string): Session | undefined {
    for (const [session, visitor] of this.#visitors) if (session.conv === conv && visitor.token === token) return session;
    return undefined;
  }

  /** All addresses of the session, which has ended. */
  leave(session: Session): readonly number[] {
    const peers = this.#visitors.get(session)?.peers ?? [session.peer];
    this.#visitors.delete(session);
    return peers;
  }
}
