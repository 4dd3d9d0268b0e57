/** Asks a server once whether it lives. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Millis } from "../base/units.ts";
import { formatHostPort } from "./ip-address.ts";
import { ping } from "./probe-icmp.ts";
import { anyAnswer, type ProbeMessage, sipOptions, stunBinding } from "./probe-message.ts";

export interface Probe {
  readonly kind: "icmp" | "tcp" | "udp" | "sip" | "stun";
  /** Literal address. */
  readonly host: string;
  readonly port: number;
  /** Of udp. */
  readonly payload: Uint8Array;
  readonly timeout: Millis;
}

/** Milliseconds until the answer; undefined: none in time, refused, or not to be asked at all. */
export function probe(wanted: Probe): Promise<Millis | undefined> {
  if (wanted.kind === "icmp") return ping(wanted.host, wanted.timeout).catch(() => undefined);
  return wanted.kind === "tcp" ? probeTcp(wanted) : probeUdp(wanted);
}

function probeTcp({ host, port, timeout }: Probe): Promise<Millis | undefined> {
  const started = performance.now();
  return new Promise((settle) => {
    const socket = connect({ host, port });
    const done = (outcome: Millis | undefined): void => {
      socket.destroy();
      settle(outcome);
    };
    socket.setTimeout(timeout, () => done(undefined));
    socket.on("connect", () => done(performance.now() - started));
    socket.on("error", () => done(undefined));
  });
}

function probeUdp({ kind, host, port, payload, timeout }: Probe): Promise<Millis | undefined> {
  const started = performance.now();
  return new Promise((settle) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    let message: ProbeMessage;
    const timer = setTimeout(() => done(undefined), timeout);
    const done = (outcome: Millis | undefined): void => {
      clearTimeout(timer);
      socket.close();
      socket.removeAllListeners().on("error", () => {});
      settle(outcome);
    };
    // Connected, so that what others send is no answer, and a refusal is told.
    socket.on("error", () => done(undefined));
    socket.connect(port, host, () => {
      const { address, port: own } = socket.address();
      if (kind === "sip") message = sipOptions(host, port, formatHostPort(address, own));
      else message = kind === "stun" ? stunBinding() : anyAnswer(payload);
      socket.send(message.bytes);
    });
    socket.on("message", (bytes) => {
      if (message.isAnswer(bytes)) done(performance.now() - started);
    });
  });
}
