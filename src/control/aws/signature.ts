/**
 * Who sent a request: AWS Signature Version 4 in the Authorization header, computed again and compared.
 *
 *   Authorization: AWS4-HMAC-SHA256 Credential=AKIA…/20261121/eu-west-1/ivs/aws4_request, SignedHeaders=host;x-amz-date, Signature=…
 *
 * Source: reference/aws-live.md 1.1 (44 of 44 requests of three SDKs accepted this way). A region may be any: there is one installation.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Millis } from "../../base/units.ts";
import { Replays } from "./replays.ts";
import { ServiceError } from "./service-error.ts";
import { Sha256 } from "./sha256.ts";

/** As AWS: a clock may be wrong by so much. */
const SKEW_MS: Millis = 5 * 60_000;

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
}

export interface Signer {
  readonly accessKey: string;
  readonly region: string;
}

/** The secret of an access key; undefined where there is none. */
export type SecretOf = (accessKey: string) => Promise<string | undefined> | string | undefined;

export class SignatureCheck {
  readonly #service: string;
  readonly #secretOf: SecretOf;
  readonly #replays = new Replays(2 * SKEW_MS);
  readonly counters = { unsigned: 0, unknownKey: 0, expired: 0, mismatched: 0 };

  /** `service`: the name signed for, "ivs". */
  constructor(service: string, secretOf: SecretOf) {
    this.#service = service;
    this.#secretOf = secretOf;
  }

  get replays(): Replays["counters"] {
    return this.#replays.counters;
  }

  /** @throws ServiceError when it is not signed, not by a known key, not now, not like this, or a second time */
  async signer(request: SignedRequest, now: number): Promise<Signer> {
    const given = AUTHORIZATION.exec(request.headers.get("authorization") ?? "");
    if (given === null) {
      this.counters.unsigned++;
      throw refused("MissingAuthenticationTokenException", "the request is not signed with AWS Signature Version 4");
    }
    const { key, day, region, service, headers, signature } = given.groups as Record<string, string>;
    const signedAt = parseDate(request.headers.get("x-amz-date") ?? "");
    if (service !== this.#service || signedAt === undefined || !request.headers.get("x-amz-date")?.startsWith(day!)) {
      this.counters.mismatched++;
      throw refused("InvalidSignatureException", `the credential's scope must be of today and of ${this.#service}`);
    }
    if (Math.abs(now - signedAt) > SKEW_MS) {
      this.counters.expired++;
      throw refused(
        "InvalidSignatureException",
        "Signature expired: the request was signed more than five minutes ago, or the clock is wrong",
      );
    }
    const secret = await this.#secretOf(key!);
    const expected = await signatureOf(request, {
      key: key!,
      secret: secret ?? "unknown",
      region: region!,
      service: service!,
      headers: headers!,
      signedAt,
    });
    if (secret === undefined) {
      this.counters.unknownKey++;
      throw refused("UnrecognizedClientException", "the access key is not known");
    }
    if (!headers!.split(";").includes("host") || !equal(expected, signature!) || !bodyHolds(request)) {
      this.counters.mismatched++;
      throw refused(
        "InvalidSignatureException",
        "the signature does not match: check the secret access key, and that nothing changes requests on their way",
      );
    }
    if (!this.#replays.fresh(signature!, signedAt, now)) throw refused("InvalidSignatureException", "the request was sent before");
    return { accessKey: key!, region: region! };
  }
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(?<key>\w{4,128})\/(?<day>\d{8})\/(?<region>[a-z0-9-]{1,40})\/(?<service>[a-z0-9-]{1,40})\/aws4_request,\s*SignedHeaders=(?<headers>[a-z0-9;-]{1,1000}),\s*Signature=(?<signature>[0-9a-f]{64})$/;

interface Scope {
  readonly key: string;
  readonly secret: string;
  readonly region: string;
  readonly service: string;
  readonly headers: string;
  readonly signedAt: number;
}

async function signatureOf({ method, url, headers, body }: SignedRequest, scope: Scope): Promise<string> {
  const signer = new SignatureV4({
    credentials: { accessKeyId: scope.key, secretAccessKey: scope.secret },
    region: scope.region,
    service: scope.service,
    sha256: Sha256,
    uriEscapePath: true,
    applyChecksum: false,
  });
  // The library signs whatever is there: it is given what was signed.
  const signed: Record<string, string> = {};
  for (const name of scope.headers.split(";")) signed[name] = headers.get(name) ?? "";
  const query: Record<string, string | string[]> = {};
  for (const name of new Set(url.searchParams.keys())) query[name] = url.searchParams.getAll(name);
  const request = new HttpRequest({
    method,
    protocol: "http:",
    hostname: url.hostname,
    path: url.pathname,
    query,
    headers: signed,
    body,
  });
  const answer = await signer.sign(request, { signingDate: new Date(scope.signedAt), signableHeaders: new Set(scope.headers.split(";")) });
  return /Signature=([0-9a-f]{64})/.exec(answer.headers.authorization ?? "")?.[1] ?? "";
}

/** Where the body's hash is told, it must be the body's: the signature covers only what was told. */
function bodyHolds({ headers, body }: SignedRequest): boolean {
  const told = headers.get("x-amz-content-sha256");
  return told === null || equal(told, createHash("sha256").update(body).digest("hex"));
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** 20261121T101500Z in Unix ms. */
function parseDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!);
}

function refused(code: string, message: string): ServiceError {
  return new ServiceError(code, 403, message);
}
