/** One way of a flow where it stands in the table: a cursor that is moved over places, so that nothing is allocated for each. */
import { formatHostPort, formatIp } from "../../host/ip-address.ts";
import type { Flow } from "../datapath.ts";
import { type FlowLayout, HOP, HOP_FLAG } from "./layout.ts";

export class FlowEntry {
  readonly layout: FlowLayout;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #hop: number;
  #base = 0;

  /** `words`: the table, and whatever is behind it. */
  constructor(layout: FlowLayout, words: Int32Array) {
    this.layout = layout;
    this.#bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
    this.#words = words;
    this.#hop = layout.hop / 4;
  }

  /** First byte of the place it is at. */
  get base(): number {
    return this.#base;
  }

  moveTo(place: number): void {
    this.#base = place * this.layout.bytes;
  }

  get isReply(): boolean {
    return ((this.#word(HOP.forward) >>> HOP.forwardBits) & HOP_FLAG.reply) !== 0;
  }

  get forward(): number {
    return this.#word(HOP.forward) & ((1 << HOP.forwardBits) - 1);
  }

  /** The collector's clock at its last packet, as many bits as there are. */
  get seen(): number {
    return this.#word(HOP.packets + 4) >>> (32 - HOP.seenBits);
  }

  get packets(): number {
    return (this.#word(HOP.packets) >>> 0) + (this.#word(HOP.packets + 4) & ((1 << (32 - HOP.seenBits)) - 1)) * TWO_TO_32;
  }

  get octets(): number {
    return (this.#word(HOP.octets) >>> 0) + (this.#word(HOP.octets + 4) >>> 0) * TWO_TO_32;
  }

  /** "host:port" of source or destination, before (its key) or after translation. */
  end(of: "before" | "after", which: "source" | "destination"): string {
    const { addressBytes, after } = this.layout;
    const key = this.#base + (of === "before" ? 0 : after);
    const second = which === "source" ? 0 : 1;
    const address = key + second * addressBytes;
    const port = key + 2 * addressBytes + 2 * second;
    const bytes = this.#bytes;
    const host =
      addressBytes === 4 ? `${bytes[address]}.${bytes[address + 1]}.${bytes[address + 2]}.${bytes[address + 3]}` : formatIp(bytes, address);
    return formatHostPort(host, (bytes[port]! << 8) | bytes[port + 1]!);
  }

  /** The other way's key, into words[at…). */
  reverse(words: Int32Array, at: number): void {
    const { addressBytes, ports, after } = this.layout;
    const from = (this.#base + after) / 4;
    const each = addressBytes / 4;
    for (let i = 0; i < each; i++) {
      words[at + i] = this.#words[from + each + i]!;
      words[at + each + i] = this.#words[from + i]!;
    }
    const both = this.#words[from + ports / 4]!;
    words[at + ports / 4] = (both << 16) | (both >>> 16);
  }

  #word(offset: number): number {
    return this.#words[this.#base / 4 + this.#hop + offset / 4]!;
  }
}

/** `entry` is the way there. */
export function describeFlow(entry: FlowEntry, other: FlowEntry | undefined, forward: string, expiresSeconds: number): Flow {
  return {
    forward,
    source: entry.end("before", "source"),
    listen: entry.end("before", "destination"),
    seenAs: entry.end("after", "source"),
    backend: entry.end("after", "destination"),
    packetsIn: entry.packets,
    bytesIn: entry.octets,
    packetsOut: other?.packets ?? 0,
    bytesOut: other?.octets ?? 0,
    expiresSeconds,
  };
}

const TWO_TO_32 = 4_294_967_296;
