/**
 * A channel's multitrackInputConfiguration: whether an encoder may send several pictures, how large the largest may be, and in which words IVS says why a stream was ended.
 *
 * Source: IVS's MultitrackInputConfiguration and StreamEvent.code.
 *
 * Deviation: a stream key needs no answer of GetClientConfiguration before it may be used for several pictures.
 */
import type { MultitrackRules } from "../../live/publisher.ts";
import { pixels, type Resolution } from "./resolution.ts";

/** As it is stored (ivs/shapes.ts). */
interface MultitrackInput {
  readonly enabled: boolean;
  readonly policy?: "ALLOW" | "REQUIRE" | undefined;
  readonly maximumResolution?: Resolution | undefined;
}

/** `stored`: JSON, or empty. */
export function multitrackRules(stored: string): Pick<MultitrackRules, "policy" | "pixelsMax"> {
  const { enabled, policy, maximumResolution = "FULL_HD" } = stored === "" ? NONE : (JSON.parse(stored) as MultitrackInput);
  const pixelsMax = pixels[maximumResolution];
  return { policy: enabled ? (policy === "REQUIRE" ? "required" : "allowed") : "none", pixelsMax };
}

/** Code of the event Session Ended, by the word for which the stream was ended; undefined: it has none. */
export const sessionEndCodes: ReadonlyMap<string, string> = new Map([
  ["flv.multitrack", "MultitrackInputNotAllowed"],
  ["multitrack", "MultitrackInputRequired"],
  ["flv.tracks", "InvalidMultitrackInputTrackCount"],
  ["pictures", "InvalidMultitrackInputVideoTrackMediaProperties"],
]);

const NONE: MultitrackInput = { enabled: false };
