/**
 * Spaces the packets of probe clusters: the pacer asks it first.
 *
 *   clusters (≤ 5, ≤ 5 s old) ─▶ active after a packet of at least min(recommended, 200 B) ─▶ next burst at start + bytes sent / rate
 *     ─▶ done after rate × duration bytes and the wanted number of bursts; dropped when more than 10 ms late
 *
 * Source: reference/gcc.md D2; libwebrtc 2026-08-22 modules/pacing/bitrate_prober.
 *
 * Deviations: none.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import type { ProbeCluster } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const CLUSTERS_MAX = 5;
const CLUSTER_TIMEOUT: Micros = 5_000_000;
const LATE_MAX: Micros = 10_000;
const PACKET_BYTES_MIN: Bytes = 200;

export class Prober {
  /** Clusters dropped for age, because there were too many, or because a burst came too late. */
  dropped = 0;
  /** Clusters sent in full. */
  finished = 0;
  readonly #clusters: ProbeCluster[] = [];
  #active = false;
  /** −Infinity: at once. */
  #nextTime: Micros = Number.POSITIVE_INFINITY;
  #startedAt: Micros = 0;
  #bytesSent: Bytes = 0;
  #bursts = 0;

  get probing(): boolean {
    return this.#active;
  }

  /** Bytes sent of the cluster at hand. */
  get bytesSent(): Bytes {
    return this.#bytesSent;
  }

  add(now: Micros, cluster: ProbeCluster): void {
    while (this.#clusters.length > 0 && (this.#clusters.length >= CLUSTERS_MAX || now - this.#clusters[0]!.createdAt > CLUSTER_TIMEOUT)) {
      this.#drop();
    }
    this.#clusters.push(cluster);
  }

  /** A packet of media came: probing begins with one that is large enough to measure by. */
  onPacketQueued(size: Bytes): void {
    if (this.#active || this.#clusters.length === 0) return;
    if (size < Math.min(this.recommendedBytes, PACKET_BYTES_MIN)) return;
    this.#active = true;
    this.#nextTime = Number.NEGATIVE_INFINITY;
  }

  /** When the next burst is due; Infinity when there is nothing to probe, −Infinity for at once. */
  get nextTime(): Micros {
    return this.#active ? this.#nextTime : Number.POSITIVE_INFINITY;
  }

  /** The cluster whose burst is sent now, undefined for none. Too late a burst would measure our own clock, so its cluster is dropped. */
  current(now: Micros): ProbeCluster | undefined {
    if (!this.#active) return undefined;
    if (Number.isFinite(this.#nextTime) && now - this.#nextTime > LATE_MAX) this.#drop();
    return this.#active ? this.#clusters[0] : undefined;
  }

  /** Bytes a burst should have. */
  get recommendedBytes(): Bytes {
    const cluster = this.#clusters[0];
    return cluster === undefined ? 0 : toBytes(cluster.targetRate, cluster.minProbeDelta);
  }

  /** A burst of `bytes` was sent. */
  onSent(now: Micros, bytes: Bytes): void {
    const cluster = this.#clusters[0];
    if (cluster === undefined || bytes === 0) return;
    if (this.#bursts === 0) this.#startedAt = now;
    this.#bytesSent += bytes;
    this.#bursts++;
    this.#nextTime = this.#startedAt + (this.#bytesSent * 8e6) / cluster.targetRate;
    if (this.#bytesSent < toBytes(cluster.targetRate, cluster.targetDuration) || this.#bursts < cluster.targetProbeCount) return;
    this.finished++;
    this.#shift();
  }

  /** Nothing of a cluster is sent after a change of path. */
  clear(): void {
    while (this.#clusters.length > 0) this.#drop();
  }

  #drop(): void {
    this.dropped++;
    this.#shift();
  }

  #shift(): void {
    this.#clusters.shift();
    this.#bytesSent = 0;
    this.#bursts = 0;
    if (this.#clusters.length === 0) this.#active = false;
    else this.#nextTime = Number.NEGATIVE_INFINITY;
  }
}

function toBytes(rate: BitsPerSecond, time: Micros): Bytes {
  return (rate * time) / 8e6;
}
