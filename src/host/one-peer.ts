/** The peers of a link that has but one: the server it was dialled to. */
import { formatHostPort } from "./ip-address.ts";
import type { LinkPeers } from "./link.ts";

export class OnePeer implements LinkPeers {
  readonly counters = { peers: 1, recycled: 0, full: 0 };
  readonly #server: { readonly host: string; readonly port: number };

  constructor(server: { readonly host: string; readonly port: number }) {
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
