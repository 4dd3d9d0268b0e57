/**
 * Who is signed in at the console: a cookie that says so, signed with a key that all control processes of an installation have, so that none keeps anything.
 *
 *   ACCESS-KEY.EXPIRY.HMAC-SHA256(key, "ACCESS-KEY.EXPIRY")        expiry in Unix seconds, base 36
 *
 * An access key that is deleted ends its sessions: whose it is, and in which role, is looked up at each request.
 */
import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { Credentials, Role } from "../credentials.ts";

/** A working day. */
export const SESSION_SECONDS = 8 * 3600;

export interface Session {
  readonly accessKey: string;
  readonly role: Role;
}

export class Sessions {
  readonly counters = { begun: 0, refused: 0 };
  readonly #credentials: Credentials;
  readonly #key: Uint8Array;

  /** `master`: the installation's key. */
  constructor(credentials: Credentials, master: Uint8Array) {
    this.#credentials = credentials;
    this.#key = new Uint8Array(hkdfSync("sha256", master, "", "console session", 32));
  }

  /**
   * The cookie's value; undefined: there is no such key, or its secret is another. Wrong ones are counted and not held up: nobody guesses 40 letters, and who
   * tries would keep others out.
   */
  async begin(accessKey: string, secret: string, now: number): Promise<string | undefined> {
    const identity = await this.#credentials.identity(accessKey);
    // Both are hashed first, so that a comparison takes as long for any length.
    if (identity === undefined || !timingSafeEqual(this.#mac(identity.secret), this.#mac(secret))) {
      this.counters.refused++;
      return undefined;
    }
    this.counters.begun++;
    const text = `${accessKey}.${Math.floor(now / 1000 + SESSION_SECONDS).toString(36)}`;
    return `${text}.${this.#mac(text).toString("base64url")}`;
  }

  async session(cookie: string | undefined, now: number): Promise<Session | undefined> {
    const [accessKey = "", expiry = "", mac = "", ...more] = (cookie ?? "").split(".");
    const expected = this.#mac(`${accessKey}.${expiry}`);
    const given = Buffer.from(mac, "base64url");
    if (more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    if (Number.parseInt(expiry, 36) * 1000 <= now) return undefined;
    const identity = await this.#credentials.identity(accessKey);
    return identity === undefined ? undefined : { accessKey, role: identity.role };
  }

  #mac(text: string): Buffer {
    return createHmac("sha256", this.#key).update(text).digest();
  }
}
