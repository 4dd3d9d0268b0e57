/**
 * Who an edge is, and what it served last: kept in the folder of option state.
 *
 *   FOLDER/identity.json   its key and certificate, the installation's authority, where control is          0600
 *   FOLDER/config.json     what it serves, whole
 */
import { X509Certificate } from "node:crypto";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { EdgeConfig } from "../accelerate/edge-config.ts";
import { joinAnswer } from "../accelerate/edge-stream.ts";
import { parseJoinToken } from "../accelerate/join-token.ts";
import { ConfigError, HostError } from "../base/errors.ts";
import { certificateRequest } from "../host/certificate-request.ts";
import { postPinned } from "../host/http2-client.ts";
import { splitHostPort } from "../host/ip-address.ts";
import { readStateFile, writeStateFile } from "../host/state-file.ts";
import { parseEdgeConfig } from "./edge-file.ts";

const JOIN_TIMEOUT_MS = 10_000;
/** A certificate is renewed when less than this share of its time is left. */
const RENEW_SHARE = 1 / 3;

const identity = z.object({
  id: z.string(),
  key: z.string(),
  certificate: z.string(),
  authority: z.string(),
  addresses: z.array(z.string()).min(1),
});
export type EdgeIdentity = z.output<typeof identity>;

/** Of option state. */
export function stateFolder(given: string): string {
  if (given !== "") return given;
  if (process.getuid?.() === 0) return "/var/lib/longhaul/edge";
  return join(process.env.XDG_STATE_HOME || join(homedir(), ".local/state"), "longhaul/edge");
}

/** Undefined when it has never joined. @throws ConfigError, HostError */
export function readIdentity(folder: string): EdgeIdentity | undefined {
  const path = join(folder, "identity.json");
  const text = readStateFile(path);
  if (text === undefined) return undefined;
  try {
    return identity.parse(JSON.parse(text));
  } catch {
    throw new ConfigError("state", `--state: "${path}" is damaged; remove it and join again with a new token`);
  }
}

export function keepIdentity(folder: string, kept: EdgeIdentity): void {
  writeStateFile(join(folder, "identity.json"), `${JSON.stringify(kept, null, 1)}\n`);
}

export function readServed(folder: string): EdgeConfig | undefined {
  const path = join(folder, "config.json");
  const text = readStateFile(path);
  return text === undefined ? undefined : parseEdgeConfig(text, path, 0);
}

export function keepServed(folder: string, config: EdgeConfig): void {
  writeStateFile(join(folder, "config.json"), JSON.stringify(config));
}

/** Uses the token up. @throws ConfigError for a token that is none or is not taken, HostError when no control process is reached */
export async function joinInstallation(token: string): Promise<EdgeIdentity> {
  const parsed = parseJoinToken(token);
  if (parsed === undefined) throw new ConfigError("join", `--join: what is given is no join token; "longhaul edges token" makes one`);
  const { key, request } = await certificateRequest("edge");
  const text = JSON.stringify({ secret: parsed.secret, request, name: hostname() });
  let failure: HostError | undefined;
  for (const address of parsed.addresses) {
    try {
      const { status, body } = await postPinned(splitHostPort(address), parsed.fingerprint, "/join", text, JOIN_TIMEOUT_MS);
      if (status === 401)
        throw new ConfigError(
          "join",
          `--join: ${address} does not take the token; it works once and for a time, "longhaul edges token" makes another`,
        );
      if (status !== 200) throw new HostError("EPROTO", "join", `${address} (${status})`);
      const { id, certificate, authority } = joinAnswer.parse(JSON.parse(body));
      return { id, key, certificate, authority, addresses: [...parsed.addresses] };
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      failure = error;
    }
  }
  throw failure ?? new HostError("ENOENT", "join");
}

/** Whether it is time for a new certificate. */
export function isOld({ certificate }: EdgeIdentity, now: number): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return to - now < (to - from) * RENEW_SHARE;
}
