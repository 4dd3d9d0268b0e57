/**
 * What our edges can do beside Global Accelerator is set by tags, so that its API and everything written for it stay as they are:
 *
 *   longhaul:repin=false  longhaul:reset-dead  longhaul:drain-seconds  longhaul:tcp-idle-seconds  longhaul:udp-idle-seconds          on accelerators
 *   longhaul:flows-max  longhaul:source-flows-max  longhaul:source-flows-per-second                                                  on accelerators
 *   longhaul:tunnel=NAME                                                                                                             on endpoint groups
 *   longhaul:health-check-protocol=SIP  -interval-ms=200  -timeout-ms  -payload   longhaul:client-address=proxy|transparent          on endpoint groups
 *
 * Names, ranges and meanings are those of accelerate/edge-config.ts; health-check-… has all that its `healthCheck` adds to the API.
 */
import type { z } from "zod";
import { endpoint, group, type HealthCheck, healthCheck, type Policy, policy } from "../../accelerate/edge-config.ts";
import type { Tags } from "../tags.ts";
import type { Level } from "./arn.ts";

export const SETTING_PREFIX = "longhaul:";

export interface GroupSettings {
  readonly check: Partial<Pick<HealthCheck, "protocol" | "intervalMs" | "timeoutMs" | "payload">>;
  readonly client?: "proxy" | "transparent";
  readonly tunnel?: string;
}

type Shape = Readonly<Record<string, z.ZodType>>;

const groupShape: Shape = {
  "health-check-protocol": healthCheck.shape.protocol,
  "health-check-interval-ms": healthCheck.shape.intervalMs,
  "health-check-timeout-ms": healthCheck.shape.timeoutMs,
  "health-check-payload": healthCheck.shape.payload,
  "client-address": endpoint.shape.client,
  tunnel: group.shape.tunnel.unwrap(),
};
const acceleratorShape: Shape = Object.fromEntries(Object.entries(policy.shape).map(([key, schema]) => [kebab(key), schema]));
const shapes: Readonly<Record<Level, Shape>> = { accelerator: acceleratorShape, "endpoint group": groupShape, listener: {} };

/** The sentence that says what is wrong with a tag; undefined: nothing. */
export function wrongSetting(level: Level, key: string, value: string): string | undefined {
  if (!key.startsWith(SETTING_PREFIX)) return undefined;
  const name = key.slice(SETTING_PREFIX.length);
  const shape = shapes[level];
  if (!Object.hasOwn(shape, name)) {
    const known = Object.keys(shape).map((other) => SETTING_PREFIX + other);
    return `${key} is no setting of an ${level}; ${known.length === 0 ? "there are none" : `${known.join(", ")} are`}`.replace(
      "an listener",
      "a listener",
    );
  }
  const result = shape[name]!.safeParse(parsedValue(value));
  return result.success ? undefined : `${key}: '${value}' is not allowed; ${result.error.issues[0]!.message}`;
}

/** What an accelerator's tags set; others stay at their defaults. */
export function policyOf(tags: Tags): Partial<Policy> {
  return Object.fromEntries(settingsIn(acceleratorShape, tags).map(([name, value]) => [camel(name), value]));
}

export function groupSettingsOf(tags: Tags): GroupSettings {
  const given = new Map(settingsIn(groupShape, tags));
  const member = (key: string, name: string) => (given.has(name) ? { [key]: given.get(name) } : {});
  return {
    check: {
      ...member("protocol", "health-check-protocol"),
      ...member("intervalMs", "health-check-interval-ms"),
      ...member("timeoutMs", "health-check-timeout-ms"),
      ...member("payload", "health-check-payload"),
    },
    ...member("client", "client-address"),
    ...member("tunnel", "tunnel"),
  } as GroupSettings;
}

/** Tags were checked when they were set; one that an older version took and this one does not is passed over. */
function settingsIn(shape: Shape, tags: Tags): (readonly [string, unknown])[] {
  return Object.entries(tags).flatMap(([key, value]) => {
    const name = key.startsWith(SETTING_PREFIX) ? key.slice(SETTING_PREFIX.length) : "";
    const result = Object.hasOwn(shape, name) ? shape[name]!.safeParse(parsedValue(value)) : undefined;
    return result?.success ? [[name, result.data] as const] : [];
  });
}

function parsedValue(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^\d{1,15}$/.test(text) ? Number(text) : text;
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function camel(name: string): string {
  return name.replace(/-[a-z]/g, (pair) => pair[1]!.toUpperCase());
}
