/** Every scenario, by name. */
import { kcpScenarios } from "./kcp-scenarios.ts";
import type { Scenario } from "./scenario.ts";

export const scenarios: readonly Scenario[] = [...kcpScenarios];
