/** A flow of KCP packets through an encoder and back: what tests of the decoder send, lose and expect. */
import { FecDecoder } from "../decoder.ts";
import { FecEncoder, type FecEncoderOptions } from "../encoder.ts";

const PACKET_BYTES_MAX = 1500;

/** Packets as hex strings, so that a multiset of them compares easily. */
export class Flow {
  readonly encoder: FecEncoder;
  readonly #bytes = new Uint8Array(4096);
  readonly #view = new DataView(this.#bytes.buffer);

  constructor(options: Partial<FecEncoderOptions> = {}) {
    this.encoder = new FecEncoder({ dataShards: 10, parityShards: 3, profile: "2026", packetBytesMax: PACKET_BYTES_MAX, ...options });
  }

  /** FEC packets that a KCP packet makes: itself, and the parity of its group if it was the last. */
  send(packet: Uint8Array, now = 0): Uint8Array[] {
    this.#bytes.set(packet, 8);
    const ready = this.encoder.encode(now, this.#bytes, this.#view, 8, 8 + packet.length);
    const out = [this.#bytes.slice(0, 8 + packet.length)];
    for (let i = 0; i < ready; i++) out.push(this.#bytes.slice(2000, 2000 + this.encoder.parity(i, this.#bytes, this.#view, 2000)));
    return out;
  }

  /** The FEC packets of `count` groups of random packets. */
  groups(count: number, packet: () => Uint8Array): { packets: Uint8Array[]; sent: string[] } {
    const packets: Uint8Array[] = [];
    const sent: string[] = [];
    for (let i = 0; i < count * this.encoder.dataShards; i++) {
      const body = packet();
      sent.push(hexOf(body));
      packets.push(...this.send(body));
    }
    return { packets, sent };
  }
}

const into = new Uint8Array(2048);
const intoView = new DataView(into.buffer);

/** What the decoder hands up for one FEC packet: the packet itself if it is data, then what was recovered. */
export function receive(decoder: FecDecoder, packet: Uint8Array): string[] {
  const bytes = new Uint8Array(packet.length + 3);
  bytes.set(packet, 3);
  const kind = decoder.receive(0, bytes, new DataView(bytes.buffer), 3, bytes.length);
  return kind === 1 ? [hexOf(packet.subarray(8)), ...recovered(decoder)] : recovered(decoder);
}

export function recovered(decoder: FecDecoder): string[] {
  const out: string[] = [];
  for (;;) {
    const length = decoder.recovered(into, intoView, 5);
    if (length === 0) return out;
    out.push(hexOf(into.subarray(5, 5 + length)));
  }
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** A decoder; told the sizes if given, otherwise it has to find them. */
export function decoderFor(dataShards = 0, parityShards = 0, groupsMax = 8): FecDecoder {
  return new FecDecoder({ packetBytesMax: PACKET_BYTES_MAX, groupsMax, dataShards, parityShards });
}
