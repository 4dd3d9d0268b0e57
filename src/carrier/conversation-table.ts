/**
 * The peers of a server's raw link: each conversation of each raw connection is one, wherever its packets come from, so that it stays the same when its client
 * moves to another address or port. Who is silent and held by nobody is forgotten.
 */
import type { Millis } from "../base/units.ts";
import type { RawPeer } from "../faketcp/server.ts";
import { formatAddress } from "../host/ip-address.ts";
import { LinkPeerTable } from "./link-peer-table.ts";

export interface RawConversation {
  readonly peer: RawPeer;
  readonly conversation: number;
  heardAt: Millis;
}

export class ConversationTable {
  readonly peers: LinkPeerTable<RawConversation>;
  readonly #ids = new Map<RawPeer, Map<number, number>>();

  /** `local`: the address clients send to. */
  constructor(peersMax: number, local: string) {
    this.peers = new LinkPeerTable(peersMax, local, ({ peer }) => ({ host: formatAddress(peer.address), port: peer.port }));
  }

  /** Id of the conversation, −1 when no more fit. */
  idOf(now: Millis, peer: RawPeer, conversation: number): number {
    const known = this.#ids.get(peer)?.get(conversation);
    if (known !== undefined) {
      this.peers.entry(known)!.heardAt = now;
      return known;
    }
    const id = this.peers.add({ peer, conversation, heardAt: now });
    if (id < 0) return id;
    let ofPeer = this.#ids.get(peer);
    if (ofPeer === undefined) {
      ofPeer = new Map();
      this.#ids.set(peer, ofPeer);
    }
    ofPeer.set(conversation, id);
    return id;
  }

  /** The raw connection is gone. */
  close(peer: RawPeer): void {
    for (const id of this.#ids.get(peer)?.values() ?? []) this.peers.remove(id);
    this.#ids.delete(peer);
  }

  /** Forgets who has been silent for so long and is not held. */
  sweep(now: Millis, idleMs: Millis): void {
    for (const [peer, ofPeer] of this.#ids) {
      peer.busy = false;
      for (const [conversation, id] of ofPeer) {
        if (this.peers.held(id)) peer.busy = true;
        else if (now - this.peers.entry(id)!.heardAt >= idleMs) {
          ofPeer.delete(conversation);
          this.peers.remove(id);
        }
      }
      if (ofPeer.size === 0) this.#ids.delete(peer);
    }
  }
}
