/** Which forward a place of ours belongs to: one address and port by a hash, ranges by looking through them. */
import type { Forward } from "./forward.ts";
import { contains, formatAddress, parseAddress } from "./ip-range.ts";
import { isExact } from "./listen.ts";

export class ForwardIndex {
  readonly #exact = new Map<string, Forward>();
  readonly #ranges: Forward[] = [];
  /** Places in ranges that were asked for. */
  readonly #known = new Map<string, Forward>();

  constructor(forwards: Iterable<Forward>) {
    for (const forward of forwards) {
      if (forward.state === "off") continue;
      const { listen } = forward;
      if (isExact(listen))
        this.#exact.set(`${formatAddress(listen.addresses.family, listen.addresses.first)} ${listen.ports.first}`, forward);
      else this.#ranges.push(forward);
    }
  }

  /** `host`: a literal address as RFC 5952 writes it. */
  find(host: string, port: number): Forward | undefined {
    const key = `${host} ${port}`;
    return this.#exact.get(key) ?? (this.#ranges.length === 0 ? undefined : (this.#known.get(key) ?? this.#search(host, port, key)));
  }

  #search(host: string, port: number, key: string): Forward | undefined {
    const address = parseAddress(host);
    if (address === undefined) return undefined;
    const found = this.#ranges.find(
      ({ listen }) => port >= listen.ports.first && port <= listen.ports.last && contains(listen.addresses, address.family, address.value),
    );
    if (found !== undefined && this.#known.size < KNOWN_MAX) this.#known.set(key, found);
    return found;
  }
}

const KNOWN_MAX = 200_000;
