/**
 * A client's session with several ways to its server (extension/ways.ts): tells what it delivers, takes the way that is chosen, and says once a minute
 * which ways do not work.
 */
import type { Millis } from "../base/units.ts";
import { FEATURE_COPIES } from "../extension/hello.ts";
import type { Way, Ways } from "../extension/ways.ts";
import type { JoinedLink } from "../host/joined-link.ts";
import type { Session } from "./session.ts";

/** A way that has not answered for so long is complained of, and again after COMPLAINT_MS. */
const DEAD_MS: Millis = 10_000;
const COMPLAINT_MS: Millis = 60_000;

export class Roaming {
  readonly ways: Ways;
  readonly #session: Session;
  readonly #link: JoinedLink;
  /** Peers and names of the ways. */
  readonly #peers: readonly number[];
  readonly #names: readonly string[];
  /** Segments in and out when it was looked last. */
  #said = 0;
  readonly #complainAt: Millis[];

  constructor(session: Session, link: JoinedLink, ways: Ways, peers: readonly number[], names: readonly string[]) {
    this.#session = session;
    this.#link = link;
    this.ways = ways;
    this.#peers = peers;
    this.#names = names;
    this.#complainAt = names.map(() => 0);
    const { extension } = session;
    for (const [index, way] of ways.ways.entries()) way.carried = link.paces(peers[index]!);
    if (extension === undefined) return;
    extension.ways = ways;
    extension.wayPeers = peers;
  }

  /** Once a round. */
  advance(now: Millis): void {
    const { kcp, transport, extension } = this.#session;
    if (extension?.roams !== true) return;
    const said = kcp.stats.inSegs + kcp.stats.outSegs;
    if (said !== this.#said) this.ways.busy(now, said);
    this.#said = said;
    const { transmissions = 0, gone: lost = 0 } = transport.flight?.stats ?? {};
    const delivery = { transmissions, lost, deliveredBytes: kcp.stats.ackedBytes + kcp.stats.bytesReceived };
    if (this.ways.advance(now, delivery)) this.#take(now, this.ways.active, this.ways.reason);
    const { second, copies } = this.ways;
    if (copies > 0 && extension.negotiation.peerHas(FEATURE_COPIES))
      transport.copier().to(second.index < 0 ? -1 : this.#peers[second.index]!, copies);
    for (const [index, way] of this.ways.ways.entries()) this.#complain(now, way, index);
  }

  /** A datagram of the session came from this peer. */
  seen(now: Millis, peer: number): void {
    this.ways.seen(now, this.#peers.indexOf(peer));
  }

  /** Nobody has answered yet: the next way is tried. */
  rotate(now: Millis): void {
    this.ways.active = (this.ways.active + 1) % this.#peers.length;
    this.#take(now, this.ways.active, "no answer");
  }

  #take(now: Millis, index: number, reason: string): void {
    const session = this.#session;
    const from = session.peer;
    const to = this.#peers[index]!;
    session.peer = to;
    session.transport.moved(now, from, to, this.#link.paces(to), this.ways.ways[index]!.rtt);
    const before = this.#peers.indexOf(from);
    const left = this.ways.ways[before]!;
    const facts = {
      peer: session.peerName,
      from: this.#names[before],
      way: this.#names[index],
      reason,
      ...(reason === "silent" && left.answeredAt >= 0 && { silentMs: Math.round(now - left.answeredAt), rttMs: Math.round(left.rtt) }),
    };
    session.log.info(facts, "session goes on over another way");
  }

  #complain(now: Millis, way: Way, index: number): void {
    if (way.begunAt < 0 || now - Math.max(way.answeredAt, way.begunAt) < DEAD_MS || now < this.#complainAt[index]!) return;
    this.#complainAt[index] = now + COMPLAINT_MS;
    const seconds = Math.round((now - Math.max(way.answeredAt, way.begunAt)) / 1000);
    this.#session.log.warn(
      { way: this.#names[index], probes: way.probes, seconds },
      way.answers === 0
        ? "a way has never worked: nothing listens there, or the network drops this carrier"
        : "a way does not work: its probes have not been answered any more",
    );
  }
}
