/** What a flow carried, or several together: "in" from whoever began it, "out" what came back. Who has it says what bytes are counted. */
export interface Traffic {
  packetsIn: number;
  bytesIn: number;
  packetsOut: number;
  bytesOut: number;
}

export function addTraffic(sum: Traffic, { packetsIn, bytesIn, packetsOut, bytesOut }: Readonly<Traffic>): void {
  sum.packetsIn += packetsIn;
  sum.bytesIn += bytesIn;
  sum.packetsOut += packetsOut;
  sum.bytesOut += bytesOut;
}
