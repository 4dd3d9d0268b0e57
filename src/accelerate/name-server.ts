/**
 * The accelerators' names as their zone's authoritative server tells them.
 *
 *   a name ─┬─ not of the zone ─► REFUSED
 *           ├─ the zone's own ─► SOA, NS
 *           ├─ an accelerator's ─► its addresses; of other types there are none (NOERROR, SOA)
 *           ├─ above one of those ─► none of any type (RFC 8020)
 *           └─ nobody's ─► NXDOMAIN, SOA
 *
 * Source: RFC 1034 section 4.3.2, RFC 2308 (what is not there), RFC 8482 (ANY: one type is enough). Addresses do not change when endpoints come and go, so that
 * answers may be kept.
 */
import { type DnsAnswer, type DnsQuestion, empty } from "../host/dns-message.ts";
import type { EdgeConfig } from "./edge-config.ts";

export interface ZoneOptions {
  /** Such as "accelerator.example.org". */
  readonly zone: string;
  /** The names of this server and of others that tell the same. */
  readonly servers: readonly string[];
  /** Seconds that answers may be kept. */
  readonly ttl: number;
}

/** Tuning: seconds that it may be kept that something is not there. */
const ABSENCE_TTL = 60;
const REFRESH = { refresh: 3600, retry: 600, expire: 604_800, minimum: ABSENCE_TTL };

type Records = DnsAnswer["answers"];

export class NameServer {
  readonly #options: ZoneOptions;
  readonly #zone: string;
  #serial = 0;
  #addresses = new Map<string, readonly string[]>();
  /** Names that have others below them. */
  #above = new Set<string>();

  constructor(options: ZoneOptions) {
    this.#options = options;
    this.#zone = plain(options.zone);
  }

  take({ revision, accelerators }: EdgeConfig): void {
    this.#serial = revision;
    this.#addresses = new Map();
    this.#above = new Set();
    for (const { dnsName, addresses } of accelerators) {
      const name = plain(dnsName);
      if (!this.#isInside(name) || name === this.#zone) continue;
      this.#addresses.set(name, addresses);
      for (let above = parent(name); this.#isInside(above) && above !== this.#zone; above = parent(above)) this.#above.add(above);
    }
  }

  answer({ name, type }: DnsQuestion, asked: string): DnsAnswer {
    if (!this.#isInside(name)) return empty("REFUSED");
    if (name === this.#zone) return this.#found(this.#own(type, asked));
    const addresses = this.#addresses.get(name);
    if (addresses !== undefined) return this.#found(this.#records(addresses, type, asked));
    return this.#above.has(name) ? this.#found([]) : { ...empty("NXDOMAIN"), authorities: this.#start(this.#zone) };
  }

  #found(answers: Records): DnsAnswer {
    return { code: "NOERROR", answers, authorities: answers.length > 0 ? [] : this.#start(this.#zone) };
  }

  #own(type: string, asked: string): Records {
    const { servers, ttl } = this.#options;
    if (type === "SOA") return this.#start(asked);
    if (type !== "NS" && type !== "ANY") return [];
    return servers.map((server) => ({ type: "NS", name: asked, ttl, data: plain(server) }));
  }

  #records(addresses: readonly string[], type: string, asked: string): Records {
    const { ttl } = this.#options;
    const four = addresses.filter((address) => !address.includes(":"));
    const wanted = type === "A" || (type === "ANY" && four.length > 0) ? "A" : type === "AAAA" || type === "ANY" ? "AAAA" : "";
    if (wanted === "A") return four.map((data) => ({ type: "A", name: asked, ttl, data }));
    if (wanted === "") return [];
    return addresses.filter((address) => address.includes(":")).map((data) => ({ type: "AAAA", name: asked, ttl, data }));
  }

  #start(name: string): Records {
    const mname = plain(this.#options.servers[0] ?? this.#zone);
    const data = { mname, rname: `hostmaster.${this.#zone}`, serial: this.#serial >>> 0, ...REFRESH };
    return [{ type: "SOA", name, ttl: ABSENCE_TTL, data }];
  }

  #isInside(name: string): boolean {
    return name === this.#zone || name.endsWith(`.${this.#zone}`);
  }
}

const plain = (name: string): string => name.toLowerCase().replace(/\.$/, "");
const parent = (name: string): string => name.slice(name.indexOf(".") + 1);
