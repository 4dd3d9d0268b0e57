/**
 * What an edge is given to join an installation: where control is, by which certificate it is known, and a secret that works once.
 *
 *   lhj1.base64url( JSON { c: ["control.example:4433", …], f: "sha256 of the authority's certificate, hex", s: "secret" } )
 */
import { z } from "zod";

const PREFIX = "lhj1.";
const LENGTH_MAX = 8192;

export interface JoinToken {
  /** "host:port", brackets around IPv6. */
  readonly addresses: readonly string[];
  readonly fingerprint: string;
  readonly secret: string;
}

const ADDRESS = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+):\d{1,5}$/;

const inside = z.strictObject({
  c: z.array(z.string().regex(ADDRESS)).min(1).max(16),
  f: z.string().regex(/^[0-9a-f]{64}$/),
  s: z.string().regex(/^[A-Za-z0-9]{16,128}$/),
});

/** "control.example:4433", "[2001:db8::1]:4433". */
export function isControlAddress(text: string): boolean {
  return ADDRESS.test(text);
}

export function formatJoinToken({ addresses, fingerprint, secret }: JoinToken): string {
  const text = JSON.stringify({ c: addresses, f: fingerprint, s: secret });
  return PREFIX + btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Undefined: it is none. */
export function parseJoinToken(text: string): JoinToken | undefined {
  if (!text.startsWith(PREFIX) || text.length > LENGTH_MAX) return undefined;
  try {
    const json: unknown = JSON.parse(atob(text.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/")));
    const { c, f, s } = inside.parse(json);
    return { addresses: c, fingerprint: f, secret: s };
  } catch {
    return undefined;
  }
}
