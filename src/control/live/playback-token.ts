/**
 * The token that a private channel asks its viewers for: a JWT, ES384, signed by the owner of an imported playback key.
 *
 *   { "aws:channel-arn", "aws:access-control-allow-origin", "aws:strict-origin-enforcement", "aws:single-use-uuid", "aws:viewer-id",
 *     "aws:viewer-session-version", "aws:maximum-resolution", "exp" }
 *
 * Source: reference/aws-live.md 3. `exp` is looked at when playback begins, not later.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { errors, type JWTPayload, jwtVerify } from "jose";
import { z } from "zod";

const claims = z.object({
  "aws:channel-arn": z.string(),
  "aws:access-control-allow-origin": z.string().max(1000).optional(),
  "aws:strict-origin-enforcement": z.boolean().optional(),
  "aws:single-use-uuid": z.uuid().optional(),
  "aws:viewer-id": z.string().min(1).max(40).optional(),
  "aws:viewer-session-version": z.int().min(0).optional(),
  "aws:maximum-resolution": z.enum(["SD", "HD", "FULL_HD"]).optional(),
  exp: z.number(),
});
export type Claims = z.output<typeof claims>;

/** Tokens that name a viewer, or count once, must be this young. */
const SHORT_LIVED_S = 600;

export class PlaybackTokens {
  #pems: readonly string[] = [];
  #keys: readonly KeyObject[] = [];
  /** Those that count once → Unix seconds until which they could come again. */
  readonly #used = new Map<string, number>();

  /** What it says, or why it is refused. `now` in Unix ms. */
  async check(token: string, channelArn: string, pems: readonly string[], now: number): Promise<Claims | string> {
    if (pems !== this.#pems) {
      this.#pems = pems;
      this.#keys = pems.map((pem) => createPublicKey(pem));
    }
    const payload = await this.#verified(token, now);
    if (typeof payload === "string") return payload;
    const result = claims.safeParse(payload);
    if (!result.success) return `the token's claim ${String(result.error.issues[0]?.path[0])} is not right`;
    return this.#accept(result.data, channelArn, now);
  }

  async #verified(token: string, now: number): Promise<JWTPayload | string> {
    for (const key of this.#keys) {
      try {
        return (await jwtVerify(token, key, { algorithms: ["ES384"], currentDate: new Date(now) })).payload;
      } catch (error) {
        if (error instanceof errors.JWTExpired) return "the token has expired";
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) return "the token is not one";
      }
    }
    return "the token is not signed with a playback key of this installation";
  }

  #accept(given: Claims, channelArn: string, now: number): Claims | string {
    const seconds = now / 1000;
    if (given["aws:channel-arn"] !== channelArn) return "the token is for another channel";
    const short = given["aws:viewer-id"] !== undefined || given["aws:single-use-uuid"] !== undefined;
    if (short && given.exp > seconds + SHORT_LIVED_S) return "a token that names a viewer, or counts once, must expire within ten minutes";
    const once = given["aws:single-use-uuid"];
    if (once === undefined) return given;
    for (const [uuid, until] of this.#used) if (until < seconds) this.#used.delete(uuid);
    if (this.#used.has(once)) return "the token was used before";
    this.#used.set(once, given.exp);
    return given;
  }
}
