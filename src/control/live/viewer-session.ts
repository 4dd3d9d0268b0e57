/**
 * A viewer's session as a word in addresses: who was let in, to which channel, under which conditions. Signed, so that nothing need be kept; checked with one
 * HMAC, and those seen lately without.
 *
 *   base64url(JSON) . base64url(HMAC-SHA256, 16 bytes)
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface ViewerSession {
  /** Channel's id. */
  readonly c: string;
  /** Unix ms at which it began. */
  readonly t: number;
  /** Differs between two that are alike. */
  readonly i: string;
  /** Most pixels of a picture, where the token says so. */
  readonly m?: number;
  /** Viewer's id and version, where the token had them. */
  readonly v?: string;
  readonly n?: number;
  /** Origins that may play it, where everything is checked for it. */
  readonly o?: readonly string[];
}

const MAC_BYTES = 16;
const KNOWN_MAX = 10_000;
const LENGTH_MAX = 2000;

export class ViewerSessions {
  readonly #key: Uint8Array;
  readonly #known = new Map<string, ViewerSession>();

  /** `key`: of the installation, so that any of its origins knows what another one gave. */
  constructor(key: Uint8Array) {
    this.#key = createHmac("sha256", key).update("viewer sessions").digest();
  }

  give(session: ViewerSession): string {
    const body = Buffer.from(JSON.stringify(session)).toString("base64url");
    return `${body}.${this.#mac(body).toString("base64url")}`;
  }

  /** Undefined: not one that was given. */
  open(word: string): ViewerSession | undefined {
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    const [body = "", mac = ""] = word.length > LENGTH_MAX ? [] : word.split(".", 2);
    const given = Buffer.from(mac, "base64url");
    if (given.length !== MAC_BYTES || !timingSafeEqual(given, this.#mac(body))) return undefined;
    const session = JSON.parse(Buffer.from(body, "base64url").toString()) as ViewerSession;
    if (this.#known.size >= KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(word, session);
    return session;
  }

  #mac(body: string): Buffer {
    return createHmac("sha256", this.#key).update(body).digest().subarray(0, MAC_BYTES);
  }
}
