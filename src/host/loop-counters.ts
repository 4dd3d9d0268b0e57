import { type Millis, NEVER } from "../base/units.ts";

/** What both loops count, beside the counters of each UDP socket. */
export interface LoopCounters {
  rounds: number;
  /** Rounds that began after they were due because the one before, or the system, took too long, and by how much in all, ms. */
  lateRounds: number;
  lateMs: Millis;
  /** Times a busy loop let datagrams gather (gathering.ts). */
  pauses: number;
  /** Connections taken from listeners. */
  accepted: number;
  /** Connections that the owner of the listener did not want, or that broke before they were taken. */
  acceptRefused: number;
  /** Times a listener rested because the process or the system had no descriptor or memory left. */
  acceptPaused: number;
  /** Accepted connections that another thread was given (handover.ts). */
  handedOver: number;
  /** Closed sockets that wait for their peer to have read the end. */
  lingering: number;
  /** Closed sockets that were not let wait: too many did, or the time or the bytes allowed for it ran out. */
  lingerCut: number;
  /** Names not looked up because too many look-ups were under way. */
  lookupsRefused: number;
}

export function newLoopCounters(): LoopCounters {
  return {
    rounds: 0,
    lateRounds: 0,
    lateMs: 0,
    pauses: 0,
    accepted: 0,
    acceptRefused: 0,
    acceptPaused: 0,
    handedOver: 0,
    lingering: 0,
    lingerCut: 0,
    lookupsRefused: 0,
  };
}

/** Tuning: what timers of the system are late by without anybody's fault. */
const TOLERANCE_MS: Millis = 2;

/** A round begins at `now` that was due at `due`: 0 or NEVER when nothing but a socket or a call woke it. */
export function countRound(counters: LoopCounters, due: Millis, now: Millis): void {
  counters.rounds++;
  if (due === 0 || due === NEVER || now - due <= TOLERANCE_MS) return;
  counters.lateRounds++;
  counters.lateMs += now - due;
}
