/** The links of a carrier that are open, driven by its loop as one. */
import { type Millis, NEVER } from "../base/units.ts";
import type { Driver, Loop } from "../host/loop.ts";

export class OpenLinks<Open extends Driver> implements Driver {
  readonly #open = new Set<Open>();
  /** To be called by a link that has ended. */
  readonly closed = (link: Open): void => void this.#open.delete(link);

  constructor(loop: Pick<Loop, "drive">) {
    loop.drive(this);
  }

  /** Answers the link. */
  add<Link extends Open>(link: Link): Link {
    this.#open.add(link);
    return link;
  }

  advance(now: Millis): Millis {
    let next: Millis = NEVER;
    for (const link of this.#open) next = Math.min(next, link.advance(now));
    return next;
  }
}
