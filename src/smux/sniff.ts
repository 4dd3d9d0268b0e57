/**
 * What the first byte of a client's stream tells about its settings, so that a server can serve every combination on one port
 * (reference kcptun.md section 7).
 *
 *     ff  snappy: the stream identifier; the smux version comes with the first frame
 *     01  no compression, smux version 1
 *     02  no compression, smux version 2
 *
 * A real client lays the snappy identifier and its first frame into different datagrams: with snappy the version cannot be known from
 * what arrives first, and a SmuxSession of version "any" has to find it.
 */

export interface Sniffed {
  readonly compressed: boolean;
  readonly version: 1 | 2 | "any";
}

const SNAPPY: Sniffed = { compressed: true, version: "any" };
const PLAIN_1: Sniffed = { compressed: false, version: 1 };
const PLAIN_2: Sniffed = { compressed: false, version: 2 };

/** bytes[start…end) begins the stream and is not empty. Undefined when no kcptun client begins so. */
export function sniff(bytes: Uint8Array, start: number, end: number): Sniffed | undefined {
  switch (start < end ? bytes[start] : undefined) {
    case 0xff:
      return SNAPPY;
    case 1:
      return PLAIN_1;
    case 2:
      return PLAIN_2;
    default:
      return undefined;
  }
}
