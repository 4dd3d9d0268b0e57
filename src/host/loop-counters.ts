/** What both loops count, beside the counters of each UDP socket. */
export interface LoopCounters {
  rounds: number;
  /** Connections taken from listeners. */
  accepted: number;
  /** Connections that the owner of the listener did not want, or that broke before they were taken. */
  acceptRefused: number;
  /** Times a listener rested because the process or the system had no descriptor or memory left. */
  acceptPaused: number;
  /** Closed sockets that wait for their peer to have read the end. */
  lingering: number;
  /** Closed sockets that were not let wait: too many did, or the time or the bytes allowed for it ran out. */
  lingerCut: number;
  /** Names not looked up because too many look-ups were under way. */
  lookupsRefused: number;
}

export function newLoopCounters(): LoopCounters {
  return { rounds: 0, accepted: 0, acceptRefused: 0, acceptPaused: 0, lingering: 0, lingerCut: 0, lookupsRefused: 0 };
}
