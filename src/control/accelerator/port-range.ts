/** Ranges of ports, as listeners and destinations have them: in order, each from its first to its last, both included. */
import { invalidPortRange } from "./exceptions.ts";

export interface PortRange {
  readonly FromPort: number;
  readonly ToPort: number;
}

/** @throws ServiceError when a border is missing, they are in the wrong order, or two ranges overlap */
export function checkedRanges(
  given: readonly { readonly FromPort?: number | undefined; readonly ToPort?: number | undefined }[],
): PortRange[] {
  const ranges = given.map(({ FromPort, ToPort }) => {
    if (FromPort === undefined || ToPort === undefined) throw invalidPortRange("a port range needs FromPort and ToPort");
    if (FromPort > ToPort) throw invalidPortRange(`${FromPort}-${ToPort} is no port range: it begins after its end`);
    return { FromPort, ToPort };
  });
  ranges.forEach((range, i) => {
    const other = ranges.slice(0, i).find((earlier) => overlaps(earlier, range));
    if (other !== undefined) throw invalidPortRange(`port ranges ${shown(other)} and ${shown(range)} overlap`);
  });
  return ranges;
}

export function overlaps(a: PortRange, b: PortRange): boolean {
  return a.FromPort <= b.ToPort && b.FromPort <= a.ToPort;
}

export function within(ranges: readonly PortRange[], port: number): boolean {
  return ranges.some(({ FromPort, ToPort }) => port >= FromPort && port <= ToPort);
}

export const shown = ({ FromPort, ToPort }: PortRange): string => (FromPort === ToPort ? String(FromPort) : `${FromPort}-${ToPort}`);
