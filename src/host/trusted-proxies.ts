/**
 * Where a request comes from that proxies passed on: each of them adds to X-Forwarded-For who asked it. What proxies that are not ours say is anybody's word, so the
 * header is read from its end for as long as the one who said it is trusted.
 */
import { BlockList, isIP } from "node:net";
import { ConfigError } from "../base/errors.ts";

/** `peer`: address of the socket; `forwarded`: the header, where there is one. */
export type ClientAddress = (peer: string, forwarded: string | undefined) => string;

/** `list`: addresses and prefixes (192.0.2.0/24), separated by commas; empty: nobody is trusted. @throws ConfigError */
export function clientAddresses(option: string, list: string): ClientAddress {
  const trusted = parse(option, list);
  if (trusted === undefined) return (peer) => plain(peer);
  const isTrusted = (address: string): boolean => trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  return (peer, forwarded) => {
    let address = plain(peer);
    if (forwarded === undefined) return address;
    const hops = forwarded.split(",");
    for (let i = hops.length - 1; i >= 0 && isTrusted(address); i--) {
      const said = plain(hops[i]!.trim());
      if (isIP(said) === 0) break;
      address = said;
    }
    return address;
  };
}

function parse(option: string, list: string): BlockList | undefined {
  if (list.trim() === "") return undefined;
  const trusted = new BlockList();
  for (const entry of list.split(",").map((each) => each.trim())) {
    const [address = "", bits, ...rest] = entry.split("/");
    const version = isIP(address);
    const most = version === 6 ? 128 : 32;
    const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
    if (version === 0 || rest.length > 0 || !(length <= most))
      throw new ConfigError(option, `--${option}: "${entry}" is not an address or a prefix; 192.0.2.1 and 2001:db8::/32 are`);
    trusted.addSubnet(address, length, version === 6 ? "ipv6" : "ipv4");
  }
  return trusted;
}

/** Without what a socket or a header may have around it: "::ffff:192.0.2.1", "192.0.2.1:4711", "[2001:db8::1]:4711". */
function plain(address: string): string {
  const bare = /^\[([0-9a-f:.]+)\](:\d+)?$/i.exec(address)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(address)?.[1] ?? address;
  return bare.replace(/^::ffff:(?=\d+\.)/i, "");
}
