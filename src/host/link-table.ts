/**
 * Where on a link packets come from, as small numbers: interface, and what stands before the IP packet to answer there.
 *
 *   Ethernet (and loopback)   destination(6) source(6) type(2)          other links: nothing
 *
 * Number 0 is no place: the routing table's business. When PLACES_MAX are known, the oldest number is given to the next place.
 *
 * Source: packet(7); if_arp.h.
 */
import { ETH_P_IP, ETH_P_IPV6 } from "./linux-abi.ts";

export const LINK_BYTES_MAX = 14;
const MAC_BYTES = 6;
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
const PLACES_MAX = 1024;

export interface Place {
  readonly interfaceIndex: number;
  /** LINK_BYTES_MAX or none. */
  readonly header: Uint8Array;
}

/** Bytes before the IP packet on links of that type (sll_hatype). */
export function linkBytes(type: number): number {
  return type === ARPHRD_ETHER || type === ARPHRD_LOOPBACK ? LINK_BYTES_MAX : 0;
}

export class LinkTable {
  readonly #places: Place[] = [{ interfaceIndex: 0, header: new Uint8Array() }];
  #next = 1;
  #last = 0;

  place(number: number): Place {
    return this.#places[number]!;
  }

  /** The number of the place a packet came from, whose link header is bytes[at…at + length). */
  learn(interfaceIndex: number, bytes: Uint8Array, at: number, length: number): number {
    if (this.#last !== 0 && this.#is(this.#last, interfaceIndex, bytes, at, length)) return this.#last;
    for (let number = 1; number < this.#places.length; number++) {
      if (!this.#is(number, interfaceIndex, bytes, at, length)) continue;
      this.#last = number;
      return number;
    }
    const header = bytes.slice(at, at + length);
    // Back to whom it came from, from whom it was sent to.
    if (length > 0) {
      header.copyWithin(0, MAC_BYTES, 2 * MAC_BYTES);
      header.set(bytes.subarray(at, at + MAC_BYTES), MAC_BYTES);
    }
    return this.#add({ interfaceIndex, header });
  }

  /** A place that is known beforehand: `to` and `from` are hardware addresses. */
  fixed(interfaceIndex: number, version: 4 | 6, to: Uint8Array, from: Uint8Array): number {
    const type = version === 4 ? ETH_P_IP : ETH_P_IPV6;
    return this.#add({ interfaceIndex, header: Uint8Array.from([...to, ...from, type >> 8, type & 255]) });
  }

  #add(place: Place): number {
    const number = this.#next;
    this.#next = (number % PLACES_MAX) + 1;
    this.#places[number] = place;
    this.#last = number;
    return number;
  }

  #is(number: number, interfaceIndex: number, bytes: Uint8Array, at: number, length: number): boolean {
    const place = this.#places[number]!;
    const { header } = place;
    if (place.interfaceIndex !== interfaceIndex || header.length !== length) return false;
    for (let i = 0; i < length && i < MAC_BYTES; i++) {
      if (header[i] !== bytes[at + MAC_BYTES + i] || header[MAC_BYTES + i] !== bytes[at + i]) return false;
    }
    return true;
  }
}
