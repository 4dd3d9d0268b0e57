/**
 * Where connections and datagrams may come out, and where they may be listened for: names that the peer may ask for, and what they stand for.
 *
 *   [NAME=][tcp:|udp:]ADDRESS     ADDRESS: host:port, [v6]:port or the path of a unix socket (tcp only)
 *
 *   web=10.0.0.5:80        "web", for TCP and for UDP
 *   dns=udp:10.0.0.5:53    "dns", for UDP only
 *   10.0.0.5:22            its own name is its address
 *   rtp=udp:10.0.0.5:6000-6099     a port for each of a range of listeners (port-span.ts)
 *
 * What is not on the list is refused: a peer's key opens the tunnel, not the network behind it.
 */
import { ConfigError } from "../base/errors.ts";
import { KIND_TCP, KIND_UDP, NAME_BYTES_MAX } from "../extension/description.ts";
import type { Endpoint } from "../host/loop.ts";
import { parseEndpoint } from "./address.ts";
import { parseSpan, splitPlace } from "./port-span.ts";

export type Kind = typeof KIND_TCP | typeof KIND_UDP;

export interface Target {
  readonly name: string;
  /** As it was written, for logs. */
  readonly text: string;
  readonly endpoint: Endpoint;
  /** Undefined: for both. */
  readonly kind: Kind | undefined;
  /** Of a range, which begins with the endpoint's. */
  readonly ports: number;
}

const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Takes "tcp:" or "udp:" off the text. */
export function splitKind(text: string): { readonly kind: Kind | undefined; readonly rest: string } {
  if (text.startsWith("tcp:")) return { kind: KIND_TCP, rest: text.slice(4) };
  if (text.startsWith("udp:")) return { kind: KIND_UDP, rest: text.slice(4) };
  return { kind: undefined, rest: text };
}

export function kindName(kind: Kind | undefined): string {
  return kind === KIND_UDP ? "udp" : "tcp";
}

/** @throws ConfigError that names `key` */
export function parseTarget(key: string, text: string, portLeast: 0 | 1 = 1): Target {
  const at = text.indexOf("=");
  const address = text.slice(at + 1);
  const name = at < 0 ? address : text.slice(0, at);
  if ((at >= 0 && !nameForm.test(name)) || name.length > NAME_BYTES_MAX || address === "") {
    throw new ConfigError(
      key,
      `--${key}: "${text}" is not a target; give NAME=ADDRESS with a name of at most ${NAME_BYTES_MAX} letters, digits, ".", "_" and "-"`,
    );
  }
  const { kind, rest } = splitKind(address);
  const span = portLeast === 1 ? parseSpan(key, rest) : undefined;
  const endpoint = span === undefined ? parseEndpoint(key, rest, portLeast) : { host: span.host, port: span.least };
  const ports = span === undefined ? 1 : span.most - span.least + 1;
  if ("path" in endpoint && /^\d+$/.test(rest))
    throw new ConfigError(key, `--${key}: "${text}" has a port but no host; give host:port, or :port for all addresses`);
  if ("path" in endpoint && kind === KIND_UDP)
    throw new ConfigError(key, `--${key}: "${text}": UDP goes to host:port, not to a unix socket`);
  return { name, text: rest, endpoint, kind: "path" in endpoint ? KIND_TCP : kind, ports };
}

/** What a server's clients may ask for. @throws ConfigError */
export function targetsOf({ target, targets }: { readonly target: string; readonly targets: readonly string[] }): TargetList {
  return new TargetList("targets", targets, parseTarget("target", target));
}

/** Port `index` of a range as a target of its own; undefined beyond its end. */
function portOf(target: Target, index: number): Target | undefined {
  const { endpoint, ports, text } = target;
  if ("path" in endpoint || index >= ports) return undefined;
  const port = endpoint.port + index;
  return { ...target, text: `${text.slice(0, text.lastIndexOf(":"))}:${port}`, endpoint: { ...endpoint, port }, ports: 1 };
}

/** A list that is swapped whole when the configuration changes. */
export class TargetList {
  readonly #initial: Target | undefined;
  readonly #targets: readonly Target[];

  /** `initial` is for peers that ask for no name. @throws ConfigError for a name that is given twice */
  constructor(key: string, texts: readonly string[], initial: Target | undefined, portLeast: 0 | 1 = 1) {
    this.#initial = initial;
    this.#targets = texts.map((text) => parseTarget(key, text, portLeast));
    this.#targets.forEach(({ name, kind }, i) => {
      if (this.#targets.some((other, j) => j < i && other.name === name && (other.kind === kind || !other.kind || !kind)))
        throw new ConfigError(key, `--${key}: "${name}" is given twice; a name stands for one address, or for one of TCP and one of UDP`);
    });
  }

  get size(): number {
    return this.#targets.length;
  }

  [Symbol.iterator](): Iterator<Target> {
    return this.#targets[Symbol.iterator]();
  }

  /** What the peer may have when it asks for `name`; an address that is on the list is asked for as well as its name. */
  find(kind: Kind, name: string): Target | undefined {
    const fits = (target: Target | undefined): boolean => target !== undefined && (target.kind ?? kind) === kind;
    if (name === "") return fits(this.#initial) ? this.#initial : undefined;
    const { target: asked, index } = splitPlace(name);
    const found =
      this.#targets.find((target) => target.name === asked && fits(target)) ??
      this.#targets.find((target) => target.text === asked && fits(target));
    return found === undefined || found.ports === 1 ? found : portOf(found, index);
  }
}
