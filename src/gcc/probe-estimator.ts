/**
 * The rate a probe got through: what was sent and what arrived of a cluster, each over its own time.
 *
 *   send rate    = (bytes − last packet sent) / (last − first send time)
 *   receive rate = (bytes − first packet received) / (last − first receive time)
 *   result       = min(send, receive), or 0.95 · receive where that is below 0.9 · send: then the path was full
 *
 * Source: reference/gcc.md D3; libwebrtc 2026-08-22 goog_cc/probe_bitrate_estimator.
 *
 * Deviations: clusters stand in a bounded ring; the oldest gives way.
 */
import type { BitsPerSecond, Bytes, Micros } from "../base/units.ts";
import type { ProbeCluster, TransportFeedback } from "./packet-result.ts";

/** Tuning of libwebrtc. */
const PACKETS_MIN = 0.8;
const BYTES_MIN = 0.8;
const INTERVAL_MAX: Micros = 1_000_000;
const RECEIVE_TO_SEND_MAX = 2;
const SATURATED_RATIO = 0.9;
const UTILISATION = 0.95;
const HISTORY: Micros = 1_000_000;

const CLUSTERS_MAX_DEFAULT = 16;

interface Entry {
  id: number;
  capacity: boolean;
  packetsMin: number;
  bytesMin: Bytes;
  packets: number;
  bytes: Bytes;
  firstSend: Micros;
  lastSend: Micros;
  lastSendSize: Bytes;
  firstReceive: Micros;
  firstReceiveSize: Bytes;
  lastReceive: Micros;
}

export interface ProbeEstimatorCounters {
  /** Packets of clusters that are not known, or no longer. */
  strangers: number;
  /** Clusters that gave way before they were old. */
  evicted: number;
  /** Results thrown away because the times of the packets cannot be. */
  implausible: number;
}

export class ProbeEstimator {
  readonly counters: ProbeEstimatorCounters = { strangers: 0, evicted: 0, implausible: 0 };
  /** Of the last result: the path was full while it was measured, and it was looking for capacity. */
  saturated = false;
  capacity = false;
  readonly #entries: Entry[];
  #next = 0;

  constructor(clustersMax = CLUSTERS_MAX_DEFAULT) {
    this.#entries = Array.from({ length: clustersMax }, emptyEntry);
  }

  /** A cluster was handed to the prober: its packets may come. */
  expect(cluster: ProbeCluster): void {
    const entry = this.#entries[this.#next]!;
    this.#next = (this.#next + 1) % this.#entries.length;
    if (entry.id >= 0 && entry.lastReceive > Number.NEGATIVE_INFINITY) this.counters.evicted++;
    entry.id = cluster.id;
    entry.capacity = cluster.capacity ?? false;
    entry.packetsMin = cluster.targetProbeCount * PACKETS_MIN;
    entry.bytesMin = ((cluster.targetRate * cluster.targetDuration) / 8e6) * BYTES_MIN;
    entry.packets = 0;
    entry.bytes = 0;
    entry.firstSend = Number.POSITIVE_INFINITY;
    entry.lastSend = Number.NEGATIVE_INFINITY;
    entry.firstReceive = Number.POSITIVE_INFINITY;
    entry.lastReceive = Number.NEGATIVE_INFINITY;
  }

  /** The result that the probe packets of a sorted feedback give, NaN for none; where they give several, the last. */
  onFeedback(feedback: TransportFeedback): BitsPerSecond {
    let result = Number.NaN;
    for (let k = 0; k < feedback.received; k++) {
      const i = feedback.order[k]!;
      const id = feedback.probeCluster[i]!;
      if (id < 0) continue;
      const found = this.add(id, feedback.size[i]!, feedback.sendTime[i]!, feedback.receiveTime[i]!);
      if (!Number.isNaN(found)) result = found;
    }
    return result;
  }

  /** Takes one received packet of cluster `id`; answers the rate the cluster shows by now, NaN where it shows none. */
  add(id: number, size: Bytes, sendTime: Micros, receiveTime: Micros): BitsPerSecond {
    this.#forget(receiveTime);
    const entry = this.#find(id);
    if (entry === undefined) {
      this.counters.strangers++;
      return Number.NaN;
    }
    if (sendTime < entry.firstSend) entry.firstSend = sendTime;
    if (sendTime > entry.lastSend) {
      entry.lastSend = sendTime;
      entry.lastSendSize = size;
    }
    if (receiveTime < entry.firstReceive) {
      entry.firstReceive = receiveTime;
      entry.firstReceiveSize = size;
    }
    if (receiveTime > entry.lastReceive) entry.lastReceive = receiveTime;
    entry.bytes += size;
    entry.packets++;
    if (entry.packets < entry.packetsMin || entry.bytes < entry.bytesMin) return Number.NaN;
    return this.#measure(entry);
  }

  #measure(entry: Entry): BitsPerSecond {
    const sendInterval = entry.lastSend - entry.firstSend;
    const receiveInterval = entry.lastReceive - entry.firstReceive;
    if (!plausible(sendInterval) || !plausible(receiveInterval)) {
      this.counters.implausible++;
      return Number.NaN;
    }
    const sendRate = ((entry.bytes - entry.lastSendSize) * 8e6) / sendInterval;
    const receiveRate = ((entry.bytes - entry.firstReceiveSize) * 8e6) / receiveInterval;
    if (receiveRate > RECEIVE_TO_SEND_MAX * sendRate) {
      this.counters.implausible++;
      return Number.NaN;
    }
    this.capacity = entry.capacity;
    this.saturated = receiveRate < SATURATED_RATIO * sendRate;
    return this.saturated ? UTILISATION * receiveRate : Math.min(sendRate, receiveRate);
  }

  #find(id: number): Entry | undefined {
    for (let i = 0; i < this.#entries.length; i++) if (this.#entries[i]!.id === id) return this.#entries[i];
    return undefined;
  }

  /** Clusters that nothing was heard of for a second give no result any more. */
  #forget(receiveTime: Micros): void {
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (entry.id >= 0 && entry.lastReceive > Number.NEGATIVE_INFINITY && entry.lastReceive + HISTORY < receiveTime) entry.id = -1;
    }
  }
}

function plausible(interval: Micros): boolean {
  return interval > 0 && interval <= INTERVAL_MAX;
}

function emptyEntry(): Entry {
  return {
    id: -1,
    capacity: false,
    packetsMin: 0,
    bytesMin: 0,
    packets: 0,
    bytes: 0,
    firstSend: Number.POSITIVE_INFINITY,
    lastSend: Number.NEGATIVE_INFINITY,
    lastSendSize: 0,
    firstReceive: Number.POSITIVE_INFINITY,
    firstReceiveSize: 0,
    lastReceive: Number.NEGATIVE_INFINITY,
  };
}
