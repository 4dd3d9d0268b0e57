/** What a raw connection looks like from outside, and how its sequence numbers behave. Source: reference udp2raw.md sections 2 and 5. */

export const rawModes = ["faketcp", "icmp", "udp"] as const;
export type RawMode = (typeof rawModes)[number];

export type Role = "client" | "server";

/** 0: fixed. 1: + length. 2: + length one time in five. 3, 4: as a sender whose window the other's acknowledgements bound. */
export type SeqMode = 0 | 1 | 2 | 3 | 4;
