/**
 * What a client listens for, and what it has the server listen for.
 *
 *   --forward [tcp:|udp:|rtmp:]LISTEN[=TARGET]   here, for what comes out at the server's target TARGET, its default when none is named;
 *                                           rtmp: connections of encoders, whose frames wait for no longer than maxdelay
 *   --reverse NAME=[tcp:|udp:]ADDRESS       there, at the server's listener NAME, for what comes out here at ADDRESS
 *
 *   --forward :8080=web --forward udp:127.0.0.1:53=dns --reverse git=127.0.0.1:3000
 *
 * LISTEN may be a range of ports (port-span.ts), which is a forward for each of them.
 */
import { ConfigError } from "../base/errors.ts";
import { KIND_TCP, KIND_UDP, NAME_BYTES_MAX } from "../extension/description.ts";
import type { Endpoint } from "../host/loop.ts";
import { parseEndpoint } from "./address.ts";
import type { ClientConfig } from "./config.ts";
import { parseSpan, placeName } from "./port-span.ts";
import { type Kind, splitKind, TargetList } from "./target.ts";

const RTMP = "rtmp:";

export interface Forward {
  readonly kind: Kind;
  /** Encoders connect there: what is sent is kept fresh (rtmp-filter.ts). */
  readonly rtmp?: boolean;
  readonly listen: Endpoint;
  /** As it was written, for logs. */
  readonly text: string;
  /** "" = the server's default. */
  readonly target: string;
}

/** One, or as many as the range has ports. @throws ConfigError that names `key` */
export function parseForwards(key: string, text: string): Forward[] {
  const at = text.lastIndexOf("=");
  const target = at < 0 ? "" : text.slice(at + 1);
  const listening = at < 0 ? text : text.slice(0, at);
  const rtmp = listening.startsWith(RTMP);
  const { kind = KIND_TCP, rest } = splitKind(rtmp ? `tcp:${listening.slice(RTMP.length)}` : listening);
  if (rest === "" || /^\d+$/.test(rest) || (at >= 0 && target === "") || target.length > NAME_BYTES_MAX) {
    throw new ConfigError(
      key,
      `--${key}: "${text}" is not a forward; give [tcp:|udp:|rtmp:]LISTEN[=TARGET], such as :8080=web or udp:127.0.0.1:53=dns`,
    );
  }
  const span = parseSpan(key, rest);
  if (span !== undefined) {
    const { host, least, most } = span;
    const shown = rest.slice(0, rest.lastIndexOf(":"));
    return Array.from({ length: most - least + 1 }, (_, i) => {
      return { kind, rtmp, listen: { host, port: least + i }, text: `${shown}:${least + i}`, target: placeName(target, i) };
    });
  }
  const listen = parseEndpoint(key, rest, 0);
  if ("path" in listen && kind === KIND_UDP)
    throw new ConfigError(key, `--${key}: "${text}": UDP comes to host:port, not to a unix socket`);
  return [{ kind, rtmp, listen, text: rest, target }];
}

/** What reverse forwards lead to, by name. @throws ConfigError */
export function reverseTargets({ reverse }: Pick<ClientConfig, "reverse">): TargetList {
  return new TargetList("reverse", reverse, undefined);
}

/** All that the client listens for: `localaddr` is the forward to the default target. @throws ConfigError */
export function forwardsOf(config: Pick<ClientConfig, "localaddr" | "forward">): Forward[] {
  const own =
    config.localaddr === ""
      ? []
      : [{ kind: KIND_TCP, listen: parseEndpoint("localaddr", config.localaddr, 0), text: config.localaddr, target: "" } as const];
  const all = [...own, ...config.forward.flatMap((text) => parseForwards("forward", text))];
  all.forEach(({ kind, text }, i) => {
    if (all.some((other, j) => j < i && other.kind === kind && other.text === text && !text.endsWith(":0")))
      throw new ConfigError("forward", `--forward: "${text}" is given twice; one address leads to one target`);
  });
  return all;
}
