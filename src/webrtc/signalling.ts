/**
 * WHIP and WHEP over HTTP: an offer is posted, an answer comes back, and the session is a resource until it is deleted.
 *
 *   POST  <endpoint>          application/sdp offer ─▶ 201, answer, Location, ETag
 *   PATCH <session>           application/trickle-ice-sdpfrag: candidates ─▶ 204; new credentials (ICE restart) ─▶ 200, ours, new ETag
 *   DELETE <session>          ─▶ 200
 *
 *   401 no token · 403 not this one · 406 no media that is taken here · 409 somebody else publishes · 412, 428 wrong or no If-Match ·
 *   413 too long · 415 not SDP · 503 too many sessions
 *
 * Source: RFC 9725 sections 4.2 to 4.5; draft-ietf-wish-whep-03 where it mirrors it; reference gcc.md section M.
 *
 * Deviations: WHEP's counter-offers, events and layers are not offered; which encoding a viewer gets, its path decides (encoding-choice.ts).
 */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HostError, ProtocolError } from "../base/errors.ts";
import { attribute, attributes, parseSessionDescription } from "../media/sdp/session-description.ts";
import type { TransportDescription } from "../media/sdp/transport-description.ts";
import type { Peer, PeerOptions } from "./peer.ts";
import type { Peers } from "./peers.ts";

const BODY_BYTES_MAX = 65_536;
const SDP = "application/sdp";
const FRAGMENT = "application/trickle-ice-sdpfrag";

/** Why an offer is not taken: HTTP's status and a sentence. */
export interface Refused {
  readonly status: 401 | 403 | 404 | 406 | 409 | 503;
  readonly reason: string;
}

/** An offer that was let in, before there is a peer. */
export interface Admitted {
  readonly options: Omit<PeerOptions, "seed" | "closed">;
  /** The session is up, or at least answered; `end` ends it. */
  opened?(peer: Peer, end: (reason: string) => void): void;
  /** It is over, or never came to be. */
  ended(reason: string): void;
}

export interface SignallingOptions {
  readonly peers: Peers;
  /** Where offers are posted: "/whip", and with a name behind it. */
  readonly path: string;
  /** Whether offers need a bearer token. */
  readonly token: boolean;
  /** Decides about an offer; `name` is what follows the path, "" for nothing. */
  admit(name: string, token: string, context: Context): Admitted | Refused | Promise<Admitted | Refused>;
  /** Names of sessions: nobody must be able to guess one. */
  readonly secret: () => string;
  readonly seed: () => number;
}

interface Live {
  readonly peer: Peer;
  readonly admitted: Admitted;
  etag: string;
  usernameFragment: string;
}

/** The application, to be mounted at the root. */
export function signalling(options: SignallingOptions): Hono {
  const { path } = options;
  const sessions = new Map<string, Live>();
  const app = new Hono();
  app.use(`${path}/*`, cors);
  app.use(path, cors);
  const limit = bodyLimit({ maxSize: BODY_BYTES_MAX, onError: () => refuse(413, "the body is too long") });
  const post = (context: Context): Promise<Response> => open(options, sessions, context);
  app.post(path, limit, post);
  app.post(`${path}/:name`, limit, post);
  app.patch(`${path}/session/:id`, limit, (context) => patch(sessions, context));
  app.delete(`${path}/session/:id`, (context) => {
    const id = context.req.param("id");
    const live = sessions.get(id);
    if (live === undefined) return refuse(404, "no such session");
    sessions.delete(id);
    live.peer.close();
    live.admitted.ended("deleted by its client");
    return new Response(null, { status: 200 });
  });
  for (const route of [path, `${path}/:name`, `${path}/session/:id`])
    app.all(route, () => refuse(405, "POST offers, PATCH or DELETE sessions"));
  return app;
}

async function open(options: SignallingOptions, sessions: Map<string, Live>, context: Context): Promise<Response> {
  const { peers, path, secret, seed } = options;
  if (!isType(context, SDP)) return refuse(415, `the offer must be ${SDP}`, { "accept-post": SDP });
  const token = /^Bearer +(\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1] ?? "";
  if (options.token && token === "") return refuse(401, "a bearer token is needed", { "www-authenticate": "Bearer" });
  const offer = await context.req.text();
  const admitted = await options.admit(context.req.param("name") ?? "", token, context);
  if ("status" in admitted) return refuse(admitted.status, admitted.reason);
  const id = secret();
  let peer: Peer;
  try {
    peer = await peers.answer(offer, {
      ...admitted.options,
      seed: seed(),
      closed: (_, reason) => {
        sessions.delete(id);
        admitted.ended(reason);
      },
    });
  } catch (error) {
    admitted.ended("its offer was not answered");
    return failed(error);
  }
  const description = parseSessionDescription(offer)!;
  const usernameFragment = attribute(description.media[0] ?? description, "ice-ufrag") ?? attribute(description, "ice-ufrag") ?? "";
  const live = { peer, admitted, etag: etagOf(peer.transport.local), usernameFragment };
  sessions.set(id, live);
  admitted.opened?.(peer, (reason) => {
    if (!sessions.delete(id)) return;
    peer.close();
    admitted.ended(reason);
  });
  return new Response(peer.answer, {
    status: 201,
    headers: { "content-type": SDP, location: `${path}/session/${id}`, etag: live.etag, "accept-patch": FRAGMENT },
  });
}

async function patch(sessions: Map<string, Live>, context: Context): Promise<Response> {
  const live = sessions.get(context.req.param("id") ?? "");
  if (live === undefined) return refuse(404, "no such session");
  if (!isType(context, FRAGMENT)) return refuse(415, `the fragment must be ${FRAGMENT}`, { "accept-patch": FRAGMENT });
  const match = context.req.header("if-match");
  if (match === undefined) return refuse(428, "If-Match is needed");
  const fragment = parseSessionDescription(`v=0\r\n${await context.req.text()}`);
  if (fragment === undefined) return refuse(400, "no SDP fragment");
  const of = (name: string): string | undefined =>
    attribute(fragment, name) ?? fragment.media.map((section) => attribute(section, name)).find(Boolean);
  const usernameFragment = of("ice-ufrag");
  const password = of("ice-pwd");
  const restart = usernameFragment !== undefined && usernameFragment !== live.usernameFragment;
  if (match !== live.etag && !(restart && match === "*")) return refuse(412, "If-Match names another ICE session", { etag: live.etag });
  if (!restart) {
    for (const section of fragment.media)
      for (const candidate of attributes(section, "candidate")) live.peer.transport.addCandidate(candidate);
    return new Response(null, { status: 204 });
  }
  if (password === undefined) return refuse(400, "new credentials need a=ice-pwd");
  live.usernameFragment = usernameFragment;
  const local = await live.peer.restart({ usernameFragment, password });
  live.etag = etagOf(local);
  return new Response(formatFragment(local, fragment.media[0]?.kind ?? "audio"), {
    status: 200,
    headers: { "content-type": FRAGMENT, etag: live.etag },
  });
}

function formatFragment({ usernameFragment, password, candidates }: TransportDescription, kind: string): string {
  const lines = [
    ...["a=ice-lite", `a=ice-ufrag:${usernameFragment}`, `a=ice-pwd:${password}`, `m=${kind} 9 UDP/TLS/RTP/SAVPF 0`, "a=mid:0"],
    ...[...candidates.map((candidate) => `a=candidate:${candidate}`), "a=end-of-candidates"],
  ];
  return `${lines.join("\r\n")}\r\n`;
}

async function cors(context: Context, next: () => Promise<void>): Promise<Response | undefined> {
  if (context.req.method === "OPTIONS") {
    const headers = {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "POST, PATCH, DELETE, OPTIONS",
      "access-control-allow-headers": "authorization, content-type, if-match",
      "access-control-expose-headers": EXPOSED,
      "accept-post": SDP,
    };
    return new Response(null, { status: 204, headers });
  }
  await next();
  context.header("access-control-allow-origin", "*");
  context.header("access-control-expose-headers", EXPOSED);
  return undefined;
}

const EXPOSED = "location, etag, link, accept-patch";

function failed(error: unknown): Response {
  if (error instanceof HostError) return refuse(503, "no UDP socket can be had", { "retry-after": "5" });
  if (!(error instanceof ProtocolError)) throw error;
  if (error.code === "webrtc.full") return refuse(503, error.message, { "retry-after": "5" });
  return refuse(error.code === "sdp.nothing" ? 406 : 400, error.message);
}

function isType(context: Context, type: string): boolean {
  return context.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase() === type;
}

function etagOf({ usernameFragment }: TransportDescription): string {
  return `"${usernameFragment}"`;
}

function refuse(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
  const retry = status === 503 ? { "retry-after": "5" } : {};
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...retry, ...headers } });
}
