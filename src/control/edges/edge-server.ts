/**
 * Where edges come to: HTTP/2 over TLS by the installation's own authority.
 *
 *   POST /join     no certificate: {secret, request} ─► {id, certificate, authority}          401 for a secret that is not good (any more)
 *   POST /stream   a certificate of the authority's for an edge that has joined ─► edge-connection.ts          403 otherwise
 */
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { type JoinAnswer, joinRequest } from "../../accelerate/edge-stream.ts";
import { HostError, ProtocolError } from "../../base/errors.ts";
import { randomId } from "../random-id.ts";
import { type ConnectionShared, EdgeConnection } from "./edge-connection.ts";
import type { JoinTokens } from "./join-tokens.ts";

export interface EdgeServerOptions extends ConnectionShared {
  readonly tokens: JoinTokens;
  readonly host: string;
  readonly port: number;
  /** Names and addresses for the certificate. */
  readonly names: readonly string[];
}

const CONNECTIONS_MAX = 10_000;
const BODY_BYTES_MAX = 65_536;
const JOIN_TIMEOUT_MS = 10_000;
const EDGE_ID_LENGTH = 12;

export class EdgeServer {
  readonly counters = { joined: 0, joinsRefused: 0, streams: 0, streamsRefused: 0 };
  readonly port: number;
  readonly #options: EdgeServerOptions;
  readonly #server: Http2SecureServer;
  readonly #connections = new Map<string, EdgeConnection>();
  readonly #sessions = new Set<ServerHttp2Session>();

  private constructor(options: EdgeServerOptions, server: Http2SecureServer) {
    this.#options = options;
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("close", () => this.#sessions.delete(session));
    });
    server.on("stream", (given, headers) => {
      // What a server is given is always a server's stream; the types do not say so.
      const stream = given as ServerHttp2Stream;
      stream.on("error", () => {});
      const path = headers[":path"];
      if (headers[":method"] === "POST" && path === "/join") void this.#join(stream);
      else if (headers[":method"] === "POST" && path === "/stream") void this.#stream(stream);
      else answer(stream, 404);
    });
  }

  /** @throws HostError (as a rejection) when the address cannot be bound */
  static async listen(options: EdgeServerOptions): Promise<EdgeServer> {
    const { authority, names, host, port } = options;
    const { cert, key } = await authority.vouchForControl(names, Date.now());
    // Who has no certificate yet may knock too; what may be asked without one is decided stream by stream.
    const tls = { cert, key, ca: authority.certificate, requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.3" as const };
    const server = createSecureServer({ ...tls, allowHTTP1: false, settings: { maxConcurrentStreams: 4 } });
    server.maxConnections = CONNECTIONS_MAX;
    server.on("sessionError", () => {});
    server.on("tlsClientError", () => {});
    await new Promise<void>((settle, fail) => {
      server.once("error", (error: NodeJS.ErrnoException) => fail(new HostError(error.code ?? "EIO", "listen", `${host}:${port}`, error)));
      server.listen({ host, port }, settle);
    });
    return new EdgeServer(options, server);
  }

  /** Edges that are here. */
  get connected(): readonly string[] {
    return [...this.#connections.keys()];
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.close();
    await new Promise<void>((settle) => {
      this.#server.close(() => settle());
      for (const session of this.#sessions) session.destroy();
    });
  }

  async #join(stream: ServerHttp2Stream): Promise<void> {
    const { tokens, registry, authority, now, log } = this.#options;
    try {
      const { secret, request, name } = joinRequest.parse(JSON.parse(await body(stream)));
      const id = randomId(EDGE_ID_LENGTH, "abcdefghijklmnopqrstuvwxyz0123456789");
      // What can go wrong for another reason goes wrong first: a token is not used up by it.
      const { certificate } = await authority.vouchForEdge(id, request, now());
      const label = await tokens.redeem(secret, now());
      if (label === undefined) {
        this.counters.joinsRefused++;
        log.warn({ from: remoteOf(stream) }, "a join token was refused");
        answer(stream, 401);
        return;
      }
      await registry.add({ id, name, label }, now());
      this.counters.joined++;
      log.info({ edge: id, name, label }, "an edge has joined");
      answer(stream, 200, JSON.stringify({ id, certificate, authority: authority.certificate } satisfies JoinAnswer));
    } catch (error) {
      this.counters.joinsRefused++;
      if (!(error instanceof ProtocolError) && !(error instanceof SyntaxError) && (error as Error).name !== "ZodError")
        log.error({ reason: (error as Error).message }, "an edge cannot join");
      answer(stream, 400);
    }
  }

  async #stream(stream: ServerHttp2Stream): Promise<void> {
    const id = edgeOf(stream.session?.socket as TLSSocket | undefined);
    if (id === undefined || !(await this.#options.registry.has(id).catch(() => false))) {
      this.counters.streamsRefused++;
      answer(stream, 403);
      return;
    }
    if (stream.destroyed) return;
    // The same edge once more: the earlier connection is one that broke.
    this.#connections.get(id)?.close();
    stream.respond({ ":status": 200, "content-type": "application/x-ndjson" });
    this.counters.streams++;
    const connection = new EdgeConnection(id, stream, this.#options, () => {
      if (this.#connections.get(id) === connection) this.#connections.delete(id);
    });
    this.#connections.set(id, connection);
    this.#options.log.info({ edge: id, from: remoteOf(stream) }, "an edge has come");
  }
}

/** The id in a certificate that our authority signed; TLS has verified it. */
function edgeOf(socket: TLSSocket | undefined): string | undefined {
  if (socket?.authorized !== true) return undefined;
  const name = socket.getPeerCertificate().subject?.CN;
  return typeof name === "string" ? name : undefined;
}

function remoteOf(stream: ServerHttp2Stream): string | undefined {
  return stream.session?.socket.remoteAddress;
}

function answer(stream: ServerHttp2Stream, status: number, text = ""): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond({ ":status": status, "content-type": "application/json" });
  stream.end(text);
}

function body(stream: ServerHttp2Stream): Promise<string> {
  return new Promise((settle, fail) => {
    const pieces: Buffer[] = [];
    let length = 0;
    stream.setTimeout(JOIN_TIMEOUT_MS, () => stream.close());
    stream.on("data", (piece: Buffer) => {
      length += piece.length;
      if (length > BODY_BYTES_MAX) fail(new ProtocolError("edge.join", "too long a body"));
      else pieces.push(piece);
    });
    stream.on("end", () => settle(Buffer.concat(pieces).toString("utf8")));
    stream.on("close", () => fail(new ProtocolError("edge.join", "it went away")));
  });
}
