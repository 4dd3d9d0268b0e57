/** A client and a server of raw connections joined by emulated links, in virtual time. The server echoes what it gets. */
import { Batch } from "../src/base/batch.ts";
import { Prng } from "../src/base/prng.ts";
import type { Millis } from "../src/base/units.ts";
import { EmulatedLink } from "../src/emulator/link.ts";
import { IDEAL } from "../src/emulator/parameters.ts";
import { parseLink } from "../src/emulator/parse.ts";
import { RawClient } from "../src/faketcp/client.ts";
import { HEADROOM_BYTES } from "../src/faketcp/connection.ts";
import { deriveKeys } from "../src/faketcp/keys.ts";
import type { RawOptions } from "../src/faketcp/options.ts";
import { DATA } from "../src/faketcp/packet.ts";
import { RawServer } from "../src/faketcp/server.ts";
import { crc32, faketcpPrimitives } from "../src/host/faketcp-crypto.ts";

const SERVER_PORT = 4096;
const keys = deriveKeys("simulated", faketcpPrimitives);

export interface RawWorldOptions {
  readonly link?: string;
  readonly seed: number;
  readonly raw?: Partial<RawOptions>;
  readonly v6?: boolean;
  /** The client's ports, in turn; by default another one each time. */
  readonly port?: (attempt: number) => number;
}

export class RawWorld {
  now: Millis = 0;
  readonly client: RawClient;
  readonly server: RawServer;
  readonly up: EmulatedLink;
  readonly down: EmulatedLink;
  /** Numbers that came back, and how long each took. */
  readonly echoes = new Map<number, Millis>();
  /** Datagrams the server got of each conversation. */
  readonly conversations = new Map<number, number>();
  ports = 0;
  readonly #options: RawWorldOptions;
  readonly #sentAt = new Map<number, Millis>();
  readonly #batch = new Batch(64);
  readonly #answers = new Batch(64);
  readonly #packet = new Uint8Array(2048);
  readonly #view = new DataView(this.#packet.buffer);
  readonly #addresses: readonly [Uint8Array, Uint8Array];

  constructor(options: RawWorldOptions) {
    this.#options = options;
    const random = new Prng(options.seed);
    const raw: RawOptions = {
      ...{
        mode: "faketcp",
        seqMode: 3,
        cipherMode: "aes128cbc",
        authMode: "md5",
        fixGro: false,
        keys,
        primitives: faketcpPrimitives,
        crc32,
      },
      random: (bytes, start, end) => random.fill(bytes.subarray(start, end)),
      ...options.raw,
    };
    const parameters = parseLink(options.link ?? "delay=20", IDEAL);
    this.up = new EmulatedLink(parameters, options.seed + 1);
    this.down = new EmulatedLink(parameters, options.seed + 2);
    this.client = new RawClient(raw);
    this.server = new RawServer(SERVER_PORT, raw);
    const address = (last: number): Uint8Array => new Uint8Array(options.v6 === true ? 16 : 4).fill(10).fill(last, -1);
    this.#addresses = [address(1), address(2)];
  }

  /** Sends a datagram of `length` ≥ 4 bytes that begins with `number`, when the client is ready. */
  send(number: number, length: number, conversation = 7): boolean {
    if (this.client.state !== "ready") return false;
    const batch = this.#batch;
    batch.length = 0;
    const start = HEADROOM_BYTES;
    batch.bytes.fill(number & 0xff, start, start + length);
    batch.view.setUint32(start, number);
    const at = this.client.connection.data(this.now, batch.bytes, batch.view, start, start + length, conversation);
    if (at < 0) return false;
    this.#sentAt.set(number, this.now);
    this.up.receive(this.now, batch.bytes, at, this.client.connection.packetEnd);
    return true;
  }

  /** Hands a packet to the server as if it had come over the link. */
  inject(packet: Uint8Array): void {
    this.up.receive(this.now, packet, 0, packet.length);
  }

  run(until: Millis, each?: (now: Millis) => void): void {
    for (; this.now <= until; this.now++) {
      each?.(this.now);
      this.#turn();
    }
  }

  #turn(): void {
    const { now, client, server } = this;
    const bytes = this.#packet;
    const view = this.#view;
    for (let n = this.down.transmit(now, bytes, 0); n > 0; n = this.down.transmit(now, bytes, 0)) {
      if (client.receive(now, bytes, view, 0, n)) this.#takeEchoes();
      this.#drain();
    }
    for (let n = this.up.transmit(now, bytes, 0); n > 0; n = this.up.transmit(now, bytes, 0)) {
      this.#answers.length = 0;
      if (server.receive(now, bytes, view, 0, n, this.#answers) !== undefined) this.#echo();
      this.#sendAll(this.#answers, this.down);
    }
    client.advance(now);
    server.advance(now);
    if (client.needsPort) {
      const localPort = this.#options.port?.(this.ports) ?? 20_000 + this.ports;
      this.ports++;
      const [local, remote] = this.#addresses;
      const icmp = this.#options.raw?.mode === "icmp";
      client.connect(now, { local, remote, localPort, remotePort: icmp ? localPort : SERVER_PORT });
    }
    this.#drain();
  }

  #drain(): void {
    this.#batch.length = 0;
    this.client.transmit(this.now, this.#batch);
    this.#sendAll(this.#batch, this.up);
    this.#batch.length = 0;
    this.server.transmit(this.now, this.#batch);
    this.#sendAll(this.#batch, this.down);
  }

  #takeEchoes(): void {
    const { connection } = this.client;
    for (let found = this.#next(this.client); found !== 0; found = this.#next(this.client)) {
      if (found !== DATA) continue;
      const number = this.#view.getUint32(connection.dataStart);
      this.echoes.set(number, this.now - (this.#sentAt.get(number) ?? Number.NaN));
    }
  }

  #echo(): void {
    const peer = [...this.server.peers].find(({ connection }) => connection !== undefined);
    for (let found = this.#next(this.server); found !== 0; found = this.#next(this.server)) {
      if (found !== DATA || peer === undefined) continue;
      const { dataStart, dataEnd, conversation } = peer.connection;
      this.conversations.set(conversation, (this.conversations.get(conversation) ?? 0) + 1);
      const batch = this.#batch;
      batch.bytes.set(this.#packet.subarray(dataStart, dataEnd), HEADROOM_BYTES);
      const end = HEADROOM_BYTES + dataEnd - dataStart;
      const at = peer.connection.data(this.now, batch.bytes, batch.view, HEADROOM_BYTES, end, conversation);
      this.down.receive(this.now, batch.bytes, at, peer.connection.packetEnd);
    }
  }

  #next(end: RawClient | RawServer): number {
    return end.next(this.now, this.#packet, this.#view);
  }

  #sendAll(batch: Batch, link: EmulatedLink): void {
    for (let i = 0; i < batch.length; i++) link.receive(this.now, batch.bytes, batch.start[i]!, batch.end[i]!);
    batch.length = 0;
  }
}
