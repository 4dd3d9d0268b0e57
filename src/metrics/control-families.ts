/** The metric families of a control process: requests to its API, what is stored, and how far edges are. */
import type { Family } from "./exposition.ts";
import { processFamilies } from "./families.ts";
import type { Watched } from "./pages.ts";
import type { ProcessFacts } from "./process-facts.ts";
import { snake } from "./snake.ts";

export interface ControlStatus {
  readonly requests: readonly { readonly operation: string; readonly outcome: string; readonly count: number }[];
  /** Requests whose sender was not believed, by why. */
  readonly refused: Readonly<Record<string, number>>;
  /** At the console's page. */
  readonly signIns: { readonly begun: number; readonly refused: number };
  readonly accelerators: Readonly<Record<string, number>>;
  readonly revision: number;
  /** The least revision that all edges serve; undefined: none has joined. */
  readonly acknowledged: number | undefined;
}

/** `status` is undefined while the store does not answer. */
export function watchedControl(status: () => Promise<ControlStatus | undefined>, facts: () => ProcessFacts): Watched {
  return {
    families: async () => {
      const now = await status();
      return now === undefined ? undefined : [...processFamilies(facts(), "control"), ...controlFamilies(now)];
    },
    status: async () => status(),
  };
}

export function controlFamilies({ requests, refused, signIns, accelerators, revision, acknowledged }: ControlStatus): Family[] {
  return [
    {
      name: "longhaul_control_requests",
      type: "counter",
      help: "Requests to the API, by operation and how they came out.",
      samples: requests.map(({ operation, outcome, count }) => ({ labels: { operation, outcome }, value: count })),
    },
    {
      name: "longhaul_control_refused_signatures",
      type: "counter",
      help: "Requests whose sender was not believed, by why.",
      samples: Object.entries(refused).map(([reason, value]) => ({ labels: { reason: snake(reason) }, value })),
    },
    {
      name: "longhaul_control_sign_ins",
      type: "counter",
      help: "Attempts to sign in at the page, by how they came out.",
      samples: [
        { labels: { outcome: "ok" }, value: signIns.begun },
        { labels: { outcome: "refused" }, value: signIns.refused },
      ],
    },
    {
      name: "longhaul_control_accelerators",
      type: "gauge",
      help: "Accelerators that are stored, by kind.",
      samples: Object.entries(accelerators).map(([kind, value]) => ({ labels: { kind }, value })),
    },
    { name: "longhaul_control_revision", type: "gauge", help: "Changes of what edges are to serve.", samples: [{ value: revision }] },
    {
      name: "longhaul_control_acknowledged_revision",
      type: "gauge",
      help: "The least revision that all joined edges serve.",
      samples: acknowledged === undefined ? [] : [{ value: acknowledged }],
    },
  ];
}
