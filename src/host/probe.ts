/** Asks a server once whether it lives. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Millis } from "../base/units.ts";
import { formatHostPort } from "./ip-address.ts";
import { probeHttp } from "./probe-http.ts";
import { ping } from "./probe-icmp.ts";
import { anyAnswer, dnsQuery, type ProbeMessage, sipOptions, stunBinding } from "./probe-message.ts";
import { type ProbeOutcome, REFUSED, SILENT, WRONG } from "./probe-outcome.ts";

export interface Probe {
  readonly kind: "icmp" | "tcp" | "udp" | "sip" | "stun" | "dns" | "http" | "https";
  /** Literal address. */
  readonly host: string;
  readonly port: number;
  /** Of udp. */
  readonly payload: Uint8Array;
  /** Of http and https. */
  readonly path?: string;
  /** Of http and https: what the server is called, by default its address. */
  readonly name?: string;
  readonly timeout: Millis;
  /** Of udp, sip, stun and dns: ports of ours that it may be sent from; where answers to others are somebody else's. Undefined: any. */
  readonly from?: { readonly first: number; readonly last: number } | undefined;
}

/** Never rejects. */
export async function probe(wanted: Probe): Promise<ProbeOutcome> {
  switch (wanted.kind) {
    case "icmp": {
      const took = await ping(wanted.host, wanted.timeout).catch(() => undefined);
      return took === undefined ? SILENT : { took };
    }
    case "tcp":
      return probeTcp(wanted);
    case "http":
    case "https":
      return probeHttp(wanted);
    default:
      return probeUdp(wanted);
  }
}

function probeTcp({ host, port, timeout }: Probe): Promise<ProbeOutcome> {
  const started = performance.now();
  return new Promise((settle) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => done(SILENT), timeout);
    const done = (outcome: ProbeOutcome): void => {
      clearTimeout(timer);
      socket.destroy();
      settle(outcome);
    };
    socket.on("connect", () => done({ took: performance.now() - started }));
    socket.on("error", () => done(REFUSED));
  });
}

function probeUdp(wanted: Probe, tries = PORTS_TRIED): Promise<ProbeOutcome> {
  const { kind, host, port, payload, timeout, from } = wanted;
  const started = performance.now();
  return new Promise((settle) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    let message: ProbeMessage;
    let heard = false;
    const timer = setTimeout(() => done(heard ? WRONG : SILENT), timeout);
    const leave = (): void => {
      clearTimeout(timer);
      socket.close();
      socket.removeAllListeners().on("error", () => {});
    };
    const done = (outcome: ProbeOutcome): void => {
      leave();
      settle(outcome);
    };
    // Connected, so that what others send is no answer, and a refusal is told.
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (code !== "EADDRINUSE" || tries === 0) return done(REFUSED);
      leave();
      settle(probeUdp(wanted, tries - 1));
    });
    if (from !== undefined) socket.bind(from.first + Math.floor(Math.random() * (from.last - from.first + 1)));
    socket.connect(port, host, () => {
      const { address, port: own } = socket.address();
      if (kind === "sip") message = sipOptions(host, port, formatHostPort(address, own));
      else if (kind === "stun") message = stunBinding();
      else message = kind === "dns" ? dnsQuery() : anyAnswer(payload);
      socket.send(message.bytes);
    });
    socket.on("message", (bytes) => {
      heard = true;
      if (message.isAnswer(bytes)) done({ took: performance.now() - started });
    });
  });
}

/** Where ports are given and some are taken. */
const PORTS_TRIED = 16;
