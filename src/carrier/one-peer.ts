/** The peers of a link that has but one: the server it was dialled to. */
import { formatHostPort } from "../host/ip-address.ts";
import type { LinkPeers } from "../host/link.ts";
import type { HostPort } from "./settings.ts";

export class OnePeer implements LinkPeers {
  readonly counters = { peers: 1, recycled: 0, full: 0 };
  readonly #server: HostPort;

  constructor(server: HostPort) {
    this.#server = server;
  }

  intern(): number {
    return 0;
  }

  /** It is always there. */
  hold(): void {}
  release(): void {}

  host(): string {
    return this.#server.host;
  }

  port(): number {
    return this.#server.port;
  }

  localHost(): string {
    return "::";
  }

  format(): string {
    return formatHostPort(this.#server.host, this.#server.port);
  }
}
