/**
 * Listening stream sockets on node:net.
 *
 * `server.listen` looks its host up first, even a literal one, and so cannot say at once whether it succeeded. The contract of
 * `Loop.listen` wants exactly that; hence the handle is made first, by the function that node:cluster makes handles with.
 * With a certificate connections are TLS's, and one comes in when its handshake is done. `proxied`: each begins with a header of the PROXY protocol, before TLS, which
 * says from where it really comes; one without is reset.
 */
import * as net from "node:net";
import * as tls from "node:tls";
import { getSystemErrorName } from "node:util";
import { HostError } from "../base/errors.ts";
import { formatHostPort, ipFamily } from "./ip-address.ts";
import { type Accept, BACKLOG, type Endpoint, type Listener } from "./loop.ts";
import type { NodeReactor } from "./node-reactor.ts";
import { readProxyHeader } from "./proxy-protocol.ts";
import type { Resource } from "./reactor.ts";
import { NetTcpSocket, QUEUE_BYTES } from "./tcp-net.ts";

interface Handle {
  listen(backlog: number): number;
  close(): void;
}
type CreateHandle = (address: string, port: number, type: number, fd?: number, flags?: number) => Handle | number;
const createHandle = (net as unknown as { _createServerHandle: CreateHandle })._createServerHandle;

export interface Certificate {
  /** PEM, with the chain behind it. */
  readonly cert: string;
  readonly key: string;
}

export interface NetListenerOptions {
  readonly certificate?: Certificate | undefined;
  readonly proxied?: boolean;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;

export class NetListener implements Listener, Resource {
  readonly local: Endpoint;
  readonly #reactor: NodeReactor;
  readonly #accept: Accept;
  readonly #server: net.Server;
  /** Where proxied connections come from, by the peer that brought them. */
  readonly #sources = new Map<string, string>();
  #open = true;

  /** @throws HostError when the address cannot be listened on */
  constructor(reactor: NodeReactor, at: Endpoint, accept: Accept, { certificate, proxied = false }: NetListenerOptions = {}) {
    this.#reactor = reactor;
    this.#accept = accept;
    const handle = openHandle(at);
    const options = { allowHalfOpen: true, highWaterMark: QUEUE_BYTES };
    if (certificate === undefined) {
      this.#server = net.createServer({ ...options, pauseOnConnect: true });
      this.#server.on("connection", (socket) => {
        if (proxied) this.#unwrap(socket, () => this.#take(socket));
        else this.#take(socket);
      });
    } else {
      const server = tls.createServer({ ...options, ...certificate, handshakeTimeout: HANDSHAKE_TIMEOUT_MS, minVersion: "TLSv1.2" });
      server.on("secureConnection", (socket: tls.TLSSocket) => this.#take(socket));
      server.on("tlsClientError", (_error: Error, socket: net.Socket) => {
        reactor.counters.acceptRefused++;
        socket.destroy();
      });
      this.#server = proxied ? net.createServer({ ...options, pauseOnConnect: true }) : server;
      if (proxied) this.#server.on("connection", (socket) => this.#unwrap(socket, () => server.emit("connection", socket)));
    }
    // Node goes on accepting after the errors it reports here, such as EMFILE.
    this.#server.on("error", () => this.#reactor.counters.acceptPaused++);
    this.#server.listen(handle, BACKLOG);
    const address = this.#server.address();
    this.local = typeof address === "object" && address !== null ? { host: address.address, port: address.port } : at;
    reactor.resources.add(this);
  }

  close(): void {
    this.destroy();
  }

  destroy(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#reactor.resources.delete(this);
    this.#server.close();
  }

  /** Reads the header; what came behind it is read again by `then`. */
  #unwrap(socket: net.Socket, then: () => void): void {
    const { counters } = this.#reactor;
    let came: Buffer<ArrayBuffer> = Buffer.alloc(0);
    const refuse = (): void => {
      counters.acceptRefused++;
      socket.resetAndDestroy();
    };
    const timer = setTimeout(refuse, HANDSHAKE_TIMEOUT_MS);
    const done = (): void => {
      clearTimeout(timer);
      socket.off("readable", read).off("error", done).off("end", refuse);
    };
    const read = (): void => {
      for (let piece: Buffer | null = socket.read(); piece !== null; piece = socket.read()) came = Buffer.concat([came, piece]);
      const header = readProxyHeader(came);
      if (header === "more") return;
      done();
      if (header === undefined) {
        refuse();
        return;
      }
      const { source, length } = header;
      const peer = peerOf(socket);
      if (source !== undefined) {
        this.#sources.set(peer, formatHostPort(source.host, source.port));
        socket.once("close", () => this.#sources.delete(peer));
      }
      if (came.length > length) socket.unshift(came.subarray(length));
      then();
    };
    socket.on("readable", read).once("error", done).once("end", refuse);
  }

  #take(socket: net.Socket): void {
    const { counters } = this.#reactor;
    const peer = peerOf(socket);
    const remote = this.#sources.get(peer) ?? (peer === "" ? name(this.local) : peer);
    const wrapped = new NetTcpSocket(this.#reactor, socket, remote);
    this.#reactor.later((now) => {
      const handler = this.#open ? this.#accept(wrapped, now) : undefined;
      if (handler === undefined) {
        counters.acceptRefused++;
        wrapped.reset();
        return;
      }
      counters.accepted++;
      wrapped.attach(handler);
    });
  }
}

function openHandle(at: Endpoint): Handle {
  const [address, port, type] = "path" in at ? [at.path, -1, -1] : [at.host, at.port, ipFamily(at.host)];
  if (type === 0) throw new HostError("EINVAL", "listen", address);
  const handle = createHandle(address, port, type, undefined, 0);
  if (typeof handle === "number") throw new HostError(getSystemErrorName(handle), "bind", name(at));
  // An address in use shows only when a TCP socket listens, which may be done twice; a pipe may not, and shows it in bind.
  const error = "path" in at ? 0 : handle.listen(BACKLOG);
  if (error === 0) return handle;
  handle.close();
  throw new HostError(getSystemErrorName(error), "listen", name(at));
}

/** "" where it is not known. */
function peerOf({ remoteAddress, remotePort = 0 }: net.Socket): string {
  return remoteAddress === undefined ? "" : formatHostPort(plain(remoteAddress), remotePort);
}

/** An IPv4 address on a socket of both families, as its user knows it. */
function plain(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}

function name(endpoint: Endpoint): string {
  return "path" in endpoint ? endpoint.path : formatHostPort(endpoint.host, endpoint.port);
}
