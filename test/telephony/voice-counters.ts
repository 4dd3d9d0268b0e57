/**
 * RTP counted by the kernel: where it leaves the caller, where it reaches a region, where it leaves that again, and where it is back.
 *
 * Datagrams that an edge sends together are one packet to the kernel between namespaces (UDP_SEGMENT): with one header, and that is how they are told apart.
 */
import { ADDRESS, type Lab, type Place } from "../edge/lab.ts";
import { MEDIA, MEDIA_PORTS, type Name } from "./region.ts";

export interface Voices {
  readonly sent: number;
  readonly arrived: number;
  readonly echoed: number;
  readonly returned: number;
}

export class VoiceCounters {
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
    for (const name of ["a", "b"] as const) {
      count(lab, "c", name, "output", `ip daddr ${ADDRESS} udp dport ${range(name)}`);
      count(lab, "c", name, "input", `ip saddr ${ADDRESS} udp sport ${range(name)}`);
      count(lab, name, name, "input", `iifname in0 udp dport ${range(name)}`);
      count(lab, name, name, "output", `oifname in0 udp sport ${range(name)}`);
    }
  }

  /** Of a region's voices so far. */
  read(name: Name): Voices {
    const at = (place: Place, hook: string): number => datagrams(this.#lab.run(place, "nft", "list", "table", "inet", `${name}_${hook}`));
    return { sent: at("c", "output"), arrived: at(name, "input"), echoed: at(name, "output"), returned: at("c", "input") };
  }
}

function count(lab: Lab, place: Place, name: Name, hook: string, match: string): void {
  lab.run(
    place,
    "nft",
    `add table inet ${name}_${hook}; add chain inet ${name}_${hook} c { type filter hook ${hook} priority 0; }; add rule inet ${name}_${hook} c ${match} counter`,
  );
}

const range = (name: Name): string => `${MEDIA[name]}-${MEDIA[name] + MEDIA_PORTS - 1}`;
/** Of IPv4 and UDP, and of 20 ms of G.711 with RTP's. */
const HEADER_BYTES = 28;
const VOICE_BYTES = 172;

function datagrams(listing: string): number {
  const [, packets, bytes] = /counter packets (\d+) bytes (\d+)/.exec(listing) ?? [];
  return (Number(bytes) - HEADER_BYTES * Number(packets)) / VOICE_BYTES;
}
