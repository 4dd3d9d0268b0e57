/** A flow between a client and a backend with somebody in the middle, whoever moves it. Ends as "host:port". */
import type { Traffic } from "./traffic.ts";

export interface ForwardedFlow extends Readonly<Traffic> {
  readonly source: string;
  /** Where the backend sees it come from. */
  readonly seenAs: string;
  readonly backend: string;
}
