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
  | { readonly kind: "stop" };

/** thread → main */
export type EdgeMessage =
  | { readonly kind: "applied"; readonly id: number; readonly problems: readonly Problem[] }
  | { readonly kind: "suspect"; readonly key: string }
  | { readonly kind: "flows"; readonly id: number; readonly flows: readonly FlowObservation[] };
