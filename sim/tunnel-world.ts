/** A tunnel in virtual time: applications on host A, the client beside them, a bad link, the server on host B and a target behind it. */

import { Prng } from "../src/base/prng.ts";
import type { Millis } from "../src/base/units.ts";
import { createCipher } from "../src/cipher/cipher.ts";
import { primitives } from "../src/host/crypto.ts";
import { type Log, silentLog } from "../src/host/log.ts";
import type { Loop, TcpHandler, TcpSocket } from "../src/host/loop.ts";
import { TunnelClient } from "../src/tunnel/client.ts";
import { type ClientConfig, clientConfig, type ServerConfig, serverConfig } from "../src/tunnel/config.ts";
import { TunnelServer } from "../src/tunnel/server.ts";
import type { CarrierAt } from "../src/tunnel/slot.ts";
import { KcptunClient } from "./kcptun-client.ts";
import { VirtualNetwork } from "./virtual-network.ts";

export const applicationPort = 1000;
export const targetPort = 2000;

export interface TunnelWorldOptions {
  readonly link: string;
  readonly seed: number;
  readonly client?: Record<string, unknown>;
  readonly server?: Record<string, unknown>;
  /** The client is a modelled kcptun, set as `client` says. */
  readonly fromKcptun?: boolean;
  /** Log of both ends; none by default. */
  readonly log?: Log;
  /** A tunnel between two more hosts over the same links; `link` is then theirs. */
  readonly beside?: TunnelWorld;
  /** Of both ends; plain UDP by default. */
  readonly carriers?: (loop: Loop) => readonly CarrierAt[];
}

export class TunnelWorld {
  readonly network: VirtualNetwork;
  readonly near: string;
  readonly far: string;
  /** Where it is not a modelled kcptun. */
  readonly client!: TunnelClient;
  readonly kcptun: KcptunClient | undefined;
  server: TunnelServer;
  readonly #makeServer: (address: string) => TunnelServer;
  readonly #options: TunnelWorldOptions;
  readonly links: ReturnType<VirtualNetwork["join"]>;

  constructor(options: TunnelWorldOptions, target: (socket: TcpSocket) => TcpHandler) {
    const { beside } = options;
    this.network = beside?.network ?? new VirtualNetwork();
    const { network } = this;
    const place = network.loops;
    const [near, far] = [`10.0.0.${place + 1}`, `10.0.0.${place + 2}`];
    this.near = near;
    this.far = far;
    this.#options = options;
    const prng = new Prng(options.seed);
    const parts = { log: options.log ?? silentLog, primitives: { ...primitives, random: (into: Uint8Array) => void prng.fill(into) } };
    const carriersOf = (loop: Loop): object => (options.carriers === undefined ? {} : { carriers: options.carriers(loop) });
    const client: ClientConfig = clientConfig.parse({
      crypt: "none",
      mode: "fast",
      localaddr: `${near}:${applicationPort}`,
      remoteaddr: `${far}:3000`,
      ...options.client,
    });
    const server: ServerConfig = serverConfig.parse({
      crypt: "none",
      mode: "fast",
      listen: `${far}:3000`,
      target: `${far}:${targetPort}`,
      ...options.server,
    });
    this.links = beside?.links ?? network.join(near, far, options.link, options.seed);
    if (beside !== undefined) network.share(near, far, beside.links);
    this.#makeServer = (address) => {
      const loop = network.host(address);
      loop.listen({ host: address, port: targetPort }, target);
      return new TunnelServer({ ...server, listen: server.listen.replace(far, address) }, { loop, ...parts, ...carriersOf(loop) });
    };
    this.server = this.#makeServer(far);
    const loop = network.host(near);
    if (options.fromKcptun) {
      const cipher = createCipher("none", primitives.deriveKey("k"), parts.primitives);
      const at = { host: near, port: applicationPort };
      this.kcptun = new KcptunClient(at, { host: far, port: 3000 }, prng.u32(), client, { loop, cipher, prng });
      return;
    }
    this.client = new TunnelClient(client, { loop, ...parts, ...carriersOf(loop) });
  }

  /** An application on host A connects to the tunnel's client. */
  connect(make: (socket: () => TcpSocket) => TcpHandler): void {
    let socket: TcpSocket | undefined;
    socket = this.network.host(this.near).connect(
      { host: this.near, port: applicationPort },
      make(() => socket!),
    );
  }

  /** The server's process dies and another one takes its place: it knows no session. */
  restartServer(): void {
    this.network.host(this.far).stop();
    this.server = this.#makeServer(this.far);
  }

  /** The server's machine is gone, and another one serves at another address. */
  moveServer(address: string): void {
    this.network.host(this.far).asleep = true;
    this.network.join(this.near, address, this.#options.link, this.#options.seed + 2);
    this.server = this.#makeServer(address);
  }

  run(seconds: number, done?: () => boolean): boolean {
    return this.network.run(this.network.now + seconds * 1000, done);
  }
}

/** Log lines as "text {facts}". */
export class LogLines implements Log {
  readonly lines: string[];
  readonly #facts: object;
  constructor(lines: string[] = [], facts: object = {}) {
    this.lines = lines;
    this.#facts = facts;
  }
  debug(facts: object, text: string): void {
    this.lines.push(`${text} ${JSON.stringify({ ...this.#facts, ...facts })}`);
  }
  info(facts: object, text: string): void {
    this.debug(facts, text);
  }
  warn(facts: object, text: string): void {
    this.debug(facts, text);
  }
  error(facts: object, text: string): void {
    this.debug(facts, text);
  }
  child(facts: object): Log {
    return new LogLines(this.lines, { ...this.#facts, ...facts });
  }
  count(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length;
  }
}

/** Sends `bytes` bytes made from a seed, checks what comes back against another seed, then ends as told. */
export class Traffic implements TcpHandler {
  readonly #socket: () => TcpSocket;
  readonly #sendSeed: number;
  readonly #expectSeed: number;
  readonly #sendBytes: number;
  readonly #endAfterSending: boolean;
  readonly #buffer = new Uint8Array(16_384);
  sent = 0;
  received = 0;
  wrong = 0;
  ended = false;
  broken: string | undefined;
  finishedAt: Millis = 0;

  constructor(socket: () => TcpSocket, options: { sendSeed: number; expectSeed: number; sendBytes: number; endAfterSending?: boolean }) {
    this.#socket = socket;
    this.#sendSeed = options.sendSeed;
    this.#expectSeed = options.expectSeed;
    this.#sendBytes = options.sendBytes;
    this.#endAfterSending = options.endAfterSending ?? false;
  }

  connected(now: Millis): void {
    this.writable(now);
    this.readable(now);
  }

  writable(_now: Millis): void {
    while (this.sent < this.#sendBytes) {
      const n = Math.min(this.#buffer.length, this.#sendBytes - this.sent);
      for (let i = 0; i < n; i++) this.#buffer[i] = byteAt(this.#sendSeed, this.sent + i);
      const taken = this.#socket().write(this.#buffer, 0, n);
      this.sent += taken;
      if (taken < n) return;
    }
    if (this.#endAfterSending) this.#socket().shutdown();
  }

  readable(now: Millis): void {
    for (;;) {
      const n = this.#socket().read(this.#buffer, 0, this.#buffer.length);
      if (n < 0) this.ended = true;
      if (n <= 0) return;
      for (let i = 0; i < n; i++) if (this.#buffer[i] !== byteAt(this.#expectSeed, this.received + i)) this.wrong++;
      this.received += n;
      this.finishedAt = now;
    }
  }

  closed(_now: Millis, code: string): void {
    this.broken = code;
  }
}

function byteAt(seed: number, index: number): number {
  return (Math.imul(index + 1, 2654435761) ^ Math.imul(seed, 40503) ^ (index >>> 11)) & 255;
}
