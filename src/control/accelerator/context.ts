/** What every operation of Global Accelerator works with. */
import type { Database } from "../store/database.ts";
import type { AddressPool } from "./address-pool.ts";

export interface AcceleratorContext {
  readonly database: Database;
  /** Twelve digits, as they stand in ARNs. */
  readonly account: string;
  /** What names of accelerators end in: a1234567890abcdef.<domain>. */
  readonly domain: string;
  readonly pool: AddressPool;
  readonly quotas: Quotas;
  readonly edges: EdgeReports;
  /** Called after each change by this process: edges need not wait until it is noticed. */
  notify?(): void;
  /** Unix ms. */
  now(): number;
}

/** What those who joined tell, through whatever control process. */
export interface EdgeReports {
  /** The least revision that all of them serve; undefined: none has joined. */
  acknowledged(): Promise<number | undefined>;
  /** Health of endpoints as edges see it, by `healthKey`; what is not there has not been looked at. */
  health(groups: readonly string[]): Promise<ReadonlyMap<string, HealthState>>;
}

export type HealthState = "INITIAL" | "HEALTHY" | "UNHEALTHY";

export const healthKey = (group: string, endpoint: string): string => `${group} ${endpoint}`;

export const noEdges: EdgeReports = { acknowledged: async () => undefined, health: async () => new Map() };

/** Most of each kind, as AWS has them; `longhaul control --help` says how to change them. */
export interface Quotas {
  readonly accelerators: number;
  readonly customRoutingAccelerators: number;
  readonly listeners: number;
  readonly endpointGroups: number;
  readonly endpoints: number;
  readonly portOverrides: number;
  readonly byoipCidrs: number;
}

export const quotaDefaults: Quotas = {
  accelerators: 20,
  customRoutingAccelerators: 10,
  listeners: 10,
  endpointGroups: 42,
  endpoints: 10,
  portOverrides: 10,
  byoipCidrs: 2,
};
