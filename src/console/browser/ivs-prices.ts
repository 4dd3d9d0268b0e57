/**
 * What AWS charges for IVS low-latency streaming, in US dollars (reference/aws-live.md 3.1), and what the same costs on machines of one's own. HD costs twice, full
 * HD four times as much as SD in every region; the second tier begins at 10,000 viewer hours of a month and is marginal.
 */

export type Resolution = "SD" | "HD" | "FULL_HD";
export type ChannelType = "BASIC" | "STANDARD";

export interface Region {
  readonly name: string;
  /** Dollars for a viewer hour in SD: of the first 10,000 of a month, and beyond. */
  readonly first: number;
  readonly beyond: number;
}

export const regions: readonly Region[] = [
  { name: "North America", first: 0.0375, beyond: 0.035 },
  { name: "Europe", first: 0.0375, beyond: 0.035 },
  { name: "Brazil", first: 0.06, beyond: 0.055 },
  { name: "Japan, Hong Kong, Singapore, Thailand", first: 0.065, beyond: 0.06 },
  { name: "Taiwan", first: 0.08, beyond: 0.075 },
  { name: "Korea", first: 0.125, beyond: 0.1175 },
  { name: "Australia", first: 0.085, beyond: 0.08 },
];

const TIER_HOURS = 10_000;
const factors: Readonly<Record<Resolution, number>> = { SD: 1, HD: 2, FULL_HD: 4 };
/** Dollars for an hour of a channel on the air. */
const inputs: Readonly<Record<ChannelType, number>> = { BASIC: 0.2, STANDARD: 2 };
const SECONDS_PER_HOUR = 3600;

/** Dollars for the viewer hours of one month in one region and resolution. */
export function viewing({ first, beyond }: Region, resolution: Resolution, hours: number): number {
  const within = Math.min(hours, TIER_HOURS);
  return factors[resolution] * (within * first + (hours - within) * beyond);
}

/** Dollars for hours of channels on the air. */
export function input(type: ChannelType, hours: number): number {
  return inputs[type] * hours;
}

/** GB that viewers fetch. */
export function egress(viewerHours: number, megabitsPerSecond: number): number {
  return (viewerHours * SECONDS_PER_HOUR * megabitsPerSecond) / 8 / 1000;
}

/** Dollars for machines that run all month and what leaves them. */
export function ownMachines(machines: number, perMachine: number, gigabytes: number, perGigabyte: number): number {
  return machines * perMachine + gigabytes * perGigabyte;
}
