/**
 * How a client looks after its session: is the server still there and does it know the session (health.ts), were our settings right
 * (probation.ts); and the questions that have to be asked for that.
 */
import type { Millis } from "../base/units.ts";
import { Health } from "./health.ts";
import type { Layers } from "./layers.ts";
import { Probation } from "./probation.ts";
import type { Transport } from "./transport.ts";

/** How often it looks. */
const CHECK_MS: Millis = 100;
/** A client that sends datagrams and hears nothing for so long says NOP, which has to be acknowledged. */
const ASK_MS: Millis = 1000;

export class Vigil {
  readonly health: Health;
  readonly probation = new Probation();
  #checkAt: Millis = 0;
  #askedAt: Millis = 0;

  constructor(now: Millis) {
    this.health = new Health(now);
  }

  /** Once a round. */
  advance(now: Millis, transport: Transport, layers: Layers): void {
    if (now < this.#checkAt) return;
    const { health, probation } = this;
    const { kcp } = transport;
    this.#checkAt = now + CHECK_MS;
    health.advance(now, kcp.waitSnd > 0, kcp.stats.rto);
    if (probation.advance(now, transport.receivedDatagrams, kcp.stats, health.doubted) && kcp.writable) layers.ping(now);
    // Datagrams alone ask for no acknowledgement: whoever sends them without hearing anything has to ask whether the server is still there.
    const said = transport.extension?.saidAt ?? 0;
    const quiet = now - Math.max(transport.lastReceived, this.#askedAt);
    if (said > transport.lastReceived && quiet >= ASK_MS && kcp.waitSnd === 0) {
      this.#askedAt = now;
      layers.ping(now);
    }
  }

  deadline(): Millis {
    return Math.max(this.#checkAt, Math.min(this.health.deadline(), this.probation.deadline()));
  }
}
