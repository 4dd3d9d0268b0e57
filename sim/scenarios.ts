/** Everything `npm run sim` can run. */
import { gccScenarios } from "./gcc/scenarios.ts";
import { kcpScenarios } from "./kcp-scenarios.ts";
import type { Scenario } from "./scenario.ts";

export const scenarios: readonly Scenario[] = [...kcpScenarios, ...gccScenarios];
