/**
 * The ways of this machine: the route to an address, its neighbour resolved ahead, and a word when either changes.
 */
import { addressBytes } from "./ip-address.ts";
import { RouteNews } from "./route-news.ts";
import { RouteQuestions, type Way } from "./route-questions.ts";
import type { Poll, Sys } from "./sys.ts";

export type { Way };

export class Neighbours {
  readonly #questions: RouteQuestions;
  readonly #news: RouteNews;
  readonly #poll: Poll;

  /** `changed`: a route, an address, an interface or a neighbour's MAC. @throws HostError */
  constructor(sys: Sys, changed: () => void) {
    this.#questions = new RouteQuestions(sys);
    this.#news = new RouteNews(sys, changed);
    this.#poll = sys.poll(this.#news.fd, () => this.#news.read());
  }

  /** Undefined: there is none. @throws HostError */
  wayTo(address: string): Way | undefined {
    return this.#questions.wayTo(addressBytes(address));
  }

  /** Has the kernel ask for the neighbour's MAC if it does not know it. @throws HostError */
  resolve(ifindex: number, address: string): void {
    this.#questions.resolve(ifindex, addressBytes(address));
  }

  close(): void {
    this.#poll.stop();
    this.#news.close();
    this.#questions.close();
  }
}
