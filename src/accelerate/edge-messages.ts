/** What passes between an edge's main thread and those that move its traffic. */
import type { EdgeConfig } from "./edge-config.ts";
import type { StandingChange } from "./health-watch.ts";
import type { FlowObservation } from "./observation.ts";
import type { Problem } from "./plane.ts";

/** main → thread */
export type EdgeCommand =
  | { readonly kind: "config"; readonly id: number; readonly config: EdgeConfig; readonly addresses: Readonly<Record<string, string>> }
  | { readonly kind: "stand"; readonly changes: readonly StandingChange[] }
  | { readonly kind: "arrange"; readonly regions: readonly string[] }
  | { readonly kind: "flows"; readonly id: number; readonly limit: number }
  | { readonly kind: "log"; readonly id: number }
  | { readonly kind: "stop" };

/** thread → main */
export type EdgeMessage =
  | { readonly kind: "applied"; readonly id: number; readonly problems: readonly Problem[] }
  | { readonly kind: "suspect"; readonly key: string }
  | { readonly kind: "flows"; readonly id: number; readonly flows: readonly FlowObservation[] }
  | ({ readonly kind: "logged"; readonly id: number } & LoggedFlows);

/** Of accelerators with flow logs. */
export interface LoggedFlows {
  readonly running: readonly FlowObservation[];
  /** Since the last time. */
  readonly ended: readonly FlowObservation[];
  /** Further ones that ran or ended, and are not told. */
  readonly skipped: number;
}
