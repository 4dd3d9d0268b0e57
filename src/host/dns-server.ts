/**
 * A name server's sockets: UDP, and TCP at the same place for what does not fit.
 *
 * Whoever asks by UDP may not be who he says: nothing that is sent back is much longer than what came, and a network (/24, /56) that asks more often than allowed
 * is told to come by TCP, in as few bytes. Source: RFC 1035 section 4.2, RFC 7766 (TCP), RFC 5358.
 */
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { HostError } from "../base/errors.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import { type Answerer, answerDns } from "./dns-message.ts";

export interface DnsServerOptions {
  /** Literal address. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly answerer: Answerer;
  /** Answers by UDP that a network is given in a second. */
  readonly perSecond: number;
  /** Connections at once; the next one is closed. 64 by default. */
  readonly connectionsMax?: number;
  /** Milliseconds that a connection may say nothing; 10,000 by default. */
  readonly idle?: number;
}

export interface DnsCounters {
  readonly answers: number;
  readonly truncated: number;
  /** No questions, and questions longer than any. */
  readonly dropped: number;
  readonly connectionsRefused: number;
}

const NETWORKS_MAX = 65_536;
const QUERY_BYTES_MAX = 4096;
const QUERIES_MAX = 1000;

export class DnsServer {
  readonly counters = { answers: 0, truncated: 0, dropped: 0, connectionsRefused: 0 } satisfies DnsCounters;
  readonly port: number;
  readonly #options: DnsServerOptions;
  readonly #datagrams: DatagramSocket;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #networks = new Map<string, TokenBucket>();

  private constructor(options: DnsServerOptions, datagrams: DatagramSocket, server: Server) {
    this.#options = options;
    this.#datagrams = datagrams;
    this.#server = server;
    this.port = datagrams.address().port;
    datagrams.on("message", (bytes, from) => this.#datagram(bytes, from.address, from.port));
    datagrams.on("error", () => {});
    server.on("connection", (socket) => this.#connection(socket));
    server.on("error", () => {});
  }

  /** @throws HostError when the place cannot be had for both */
  static async listen(options: DnsServerOptions): Promise<DnsServer> {
    const { host } = options;
    const datagrams = createSocket(host.includes(":") ? "udp6" : "udp4");
    const server = createServer();
    try {
      datagrams.bind(options.port, host);
      await once(datagrams, "listening");
      server.listen(datagrams.address().port, host);
      await once(server, "listening");
    } catch (error) {
      datagrams.close();
      server.close();
      const { code = "", syscall = "bind" } = error as NodeJS.ErrnoException;
      throw new HostError(code, syscall, `${host} port ${options.port}`);
    }
    return new DnsServer(options, datagrams, server);
  }

  close(): void {
    this.#datagrams.close();
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
  }

  #datagram(bytes: Buffer, address: string, port: number): void {
    const answer = this.#answer(bytes, true, !this.#allowed(address));
    if (answer !== undefined) this.#datagrams.send(answer, port, address, () => {});
  }

  #answer(bytes: Buffer, datagram: boolean, truncate: boolean): Buffer | undefined {
    const answer = answerDns({ bytes, datagram, truncate }, this.#options.answerer);
    if (answer === undefined) this.counters.dropped++;
    else this.counters.answers++;
    if (truncate && answer !== undefined) this.counters.truncated++;
    return answer;
  }

  #allowed(address: string): boolean {
    const now = performance.now();
    const network = networkOf(address);
    let bucket = this.#networks.get(network);
    if (bucket === undefined) {
      if (this.#networks.size >= NETWORKS_MAX) for (const [key, each] of this.#networks) if (each.idle(now)) this.#networks.delete(key);
      if (this.#networks.size >= NETWORKS_MAX) return false;
      bucket = new TokenBucket(this.#options.perSecond, this.#options.perSecond, now);
      this.#networks.set(network, bucket);
    }
    return bucket.take(1, now);
  }

  #connection(socket: Socket): void {
    if (this.#connections.size >= (this.#options.connectionsMax ?? 64)) {
      this.counters.connectionsRefused++;
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    let waiting: Buffer = Buffer.alloc(0);
    let left = QUERIES_MAX;
    socket.setTimeout(this.#options.idle ?? 10_000, () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => this.#connections.delete(socket));
    socket.on("data", (piece: Buffer) => {
      waiting = Buffer.concat([waiting, piece]);
      while (waiting.length >= 2) {
        const length = waiting.readUInt16BE(0);
        if (length > QUERY_BYTES_MAX || left-- <= 0) {
          this.counters.dropped++;
          socket.destroy();
          return;
        }
        if (waiting.length < 2 + length) return;
        const answer = this.#answer(waiting.subarray(2, 2 + length), false, false);
        waiting = waiting.subarray(2 + length);
        if (answer === undefined || socket.writableLength > QUERY_BYTES_MAX * 16) {
          socket.destroy();
          return;
        }
        const size = Buffer.alloc(2);
        size.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([size, answer]));
      }
    });
  }
}

/** /24, or /56 as far as its text shows it: four groups, the last of them without its low byte. */
function networkOf(address: string): string {
  if (!address.includes(":")) return address.slice(0, address.lastIndexOf("."));
  const [head = ""] = address.split("::");
  const groups = head.split(":").slice(0, 4);
  return groups.length < 4 ? head : [...groups.slice(0, 3), groups[3]!.slice(0, -2)].join(":");
}
