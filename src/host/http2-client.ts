/** The client's side of HTTP/2 between programs of one installation: they know each other by an authority of their own, not by names. */
import { X509Certificate } from "node:crypto";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { HostError } from "../base/errors.ts";
import type { Bytes, Millis } from "../base/units.ts";
import { formatHostPort, ipFamily } from "./ip-address.ts";
import { type LineHandler, LineStream } from "./line-stream.ts";

interface Place {
  readonly host: string;
  readonly port: number;
}

/** PEM. */
export interface Identity {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** id-kp-serverAuth, RFC 5280 section 4.2.1.12. */
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const ANSWER_BYTES_MAX: Bytes = 1 << 20;

/**
 * Asks a server of which nothing is known but the SHA-256 of its authority's certificate. Nothing is sent before that is proven.
 * @throws HostError (as a rejection): nobody there, somebody else (EPROTO), or no answer in time
 */
export async function postPinned(
  at: Place,
  fingerprint: string,
  path: string,
  text: string,
  timeout: Millis,
): Promise<{ readonly status: number; readonly body: string }> {
  const socket = await secured(at, { rejectUnauthorized: false }, timeout);
  if (!isOf(socket, fingerprint)) {
    socket.destroy();
    throw new HostError("EPROTO", "join", `${formatHostPort(at.host, at.port)}, which is not whom the token names`);
  }
  const session = connectHttp2(`https://${formatHostPort(at.host, at.port)}`, { createConnection: () => socket });
  try {
    return await exchange(session, path, text, timeout, at);
  } finally {
    session.destroy();
  }
}

/** A stream of lines, once the server has agreed to it. @throws HostError (as a rejection); code "EACCES" when it did not agree */
export async function openLines(
  at: Place,
  identity: Identity,
  path: string,
  timeout: Millis,
  lineMax: Bytes,
  handler: LineHandler,
): Promise<LineStream> {
  const { authority, certificate, key } = identity;
  // Whoever the authority vouches for as a server is control, wherever it is.
  const socket = await secured(at, { ca: authority, cert: certificate, key, checkServerIdentity: () => undefined }, timeout);
  const session = connectHttp2(`https://${formatHostPort(at.host, at.port)}`, { createConnection: () => socket });
  session.on("error", () => {});
  const stream = session.request({ ":method": "POST", ":path": path }, { endStream: false });
  try {
    const status = await statusOf(stream, timeout, at);
    if (status !== 200)
      throw new HostError(status === 403 ? "EACCES" : "EPROTO", "stream", `${formatHostPort(at.host, at.port)} (${status})`);
  } catch (error) {
    session.destroy();
    throw error;
  }
  return new LineStream(stream, lineMax, {
    line: (text) => handler.line(text),
    closed: (reason) => {
      session.destroy();
      handler.closed(reason);
    },
  });
}

function secured({ host, port }: Place, options: object, timeout: Millis): Promise<TLSSocket> {
  return new Promise((settle, fail) => {
    const servername = ipFamily(host) === 0 ? { servername: host } : {};
    const socket = connectTls({ host, port, ALPNProtocols: ["h2"], minVersion: "TLSv1.3", ...servername, ...options });
    const timer = setTimeout(() => failed({ code: "ETIMEDOUT" }), timeout);
    const failed = ({ code = "EIO" }: { code?: string }): void => {
      clearTimeout(timer);
      socket.destroy();
      fail(new HostError(code, "connect", formatHostPort(host, port)));
    };
    socket.on("error", failed);
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      socket.setNoDelay(true);
      settle(socket);
    });
  });
}

/** The server shows a certificate for servers, signed by the authority whose certificate has the fingerprint. */
function isOf(socket: TLSSocket, fingerprint: string): boolean {
  const peer = socket.getPeerX509Certificate();
  const issuer = peer?.issuerCertificate;
  if (peer === undefined || issuer === undefined) return false;
  const authority = new X509Certificate(issuer.raw);
  const now = Date.now();
  return (
    authority.fingerprint256.replaceAll(":", "").toLowerCase() === fingerprint &&
    authority.ca &&
    peer.verify(authority.publicKey) &&
    Date.parse(peer.validFrom) <= now &&
    Date.parse(peer.validTo) >= now &&
    (peer.keyUsage?.includes(SERVER_AUTH) ?? false)
  );
}

async function exchange(session: ClientHttp2Session, path: string, text: string, timeout: Millis, at: Place) {
  session.on("error", () => {});
  const stream = session.request({ ":method": "POST", ":path": path });
  stream.end(text);
  const status = await statusOf(stream, timeout, at);
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > ANSWER_BYTES_MAX) throw new HostError("EMSGSIZE", "join", formatHostPort(at.host, at.port));
    pieces.push(piece);
  }
  return { status, body: Buffer.concat(pieces).toString("utf8") };
}

function statusOf(stream: ClientHttp2Stream, timeout: Millis, { host, port }: Place): Promise<number> {
  return new Promise((settle, fail) => {
    const timer = setTimeout(() => failed({ code: "ETIMEDOUT" }), timeout);
    const failed = ({ code = "EIO" }: { code?: string }): void => {
      clearTimeout(timer);
      fail(new HostError(code, "request", formatHostPort(host, port)));
    };
    stream.on("error", failed);
    stream.once("close", () => failed({ code: "ECONNRESET" }));
    stream.once("response", (headers) => {
      clearTimeout(timer);
      settle(headers[":status"] ?? 0);
    });
  });
}
