/**
 * What a description says of the transport below: ICE credentials, DTLS fingerprints and role, candidates.
 *
 *   a=ice-ufrag:…  a=ice-pwd:…  a=fingerprint:sha-256 AB:CD:…  a=setup:actpass  a=candidate:…
 *
 * All sections of a bundle share one transport, so the first that is not refused speaks for all (RFC 9143 section 7.2).
 *
 * Source: RFC 8839 section 5, RFC 8842 section 5, RFC 8122 section 5.
 */
import { attribute, attributes, type SessionDescription } from "./session-description.ts";

export interface Fingerprint {
  /** "sha-256". */
  readonly algorithm: string;
  /** Hexadecimal pairs with colons between. */
  readonly value: string;
}

export interface TransportDescription {
  readonly usernameFragment: string;
  readonly password: string;
  readonly lite: boolean;
  readonly fingerprints: readonly Fingerprint[];
  /** Who opens the DTLS connection: "active" does, "passive" waits, "actpass" leaves it to the answer. */
  readonly setup: string;
  /** Values of a=candidate. */
  readonly candidates: readonly string[];
}

/** Candidates taken of one description. */
const CANDIDATES_MAX = 64;

/** Undefined when credentials or fingerprint are missing or malformed. */
export function transportDescription(description: SessionDescription): TransportDescription | undefined {
  const section = description.media.find(({ port }) => port !== 0) ?? description.media[0];
  const one = (name: string): string | undefined =>
    (section === undefined ? undefined : attribute(section, name)) ?? attribute(description, name);
  const usernameFragment = one("ice-ufrag") ?? "";
  const password = one("ice-pwd") ?? "";
  if (!/^[\w+/-]{4,256}$/.test(usernameFragment) || !/^[\w+/-]{22,256}$/.test(password)) return undefined;
  const written = [...(section === undefined ? [] : attributes(section, "fingerprint")), ...attributes(description, "fingerprint")];
  const fingerprints = written.flatMap((text) => {
    const [algorithm, value] = text.split(" ");
    return algorithm !== undefined && /^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})+$/.test(value ?? "") ? [{ algorithm, value: value! }] : [];
  });
  if (fingerprints.length === 0) return undefined;
  return {
    usernameFragment,
    password,
    lite: attribute(description, "ice-lite") !== undefined,
    fingerprints,
    setup: one("setup") ?? "actpass",
    candidates: (section === undefined ? [] : attributes(section, "candidate")).slice(0, CANDIDATES_MAX),
  };
}
