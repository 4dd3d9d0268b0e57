/** `longhaul forward capture`: packets of forwards, some or all, into a pcap file. */
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import { silentLog } from "../host/log.ts";
import { PcapFile } from "../host/pcap.ts";
import { Remote } from "./forward-control.ts";
import { openDatapath } from "./forward-datapaths.ts";
import type { captureConfig } from "./forward-options.ts";
import { readState, statePath } from "./forward-place.ts";
import { onStop } from "./signals.ts";

export async function runCapture(config: z.output<typeof captureConfig>): Promise<number> {
  const { names, write, onein, snaplen, packets, seconds } = config;
  if (write === "") throw new ConfigError("write", "--write: nothing given; give the path of a pcap file, or - for standard output");
  if (names.length > 1) throw new ConfigError("names", `capture: ${names.length} names given; give one, or none for all forwards`);
  const path = statePath(config.state);
  const state = readState(path);
  const remote = await Remote.find(path);
  if (remote !== undefined && remote.place.datapath !== "nftables")
    throw new ConfigError(
      "capture",
      `capture: the datapath ${remote.place.datapath} is in process ${remote.place.pid}, which cannot be looked into yet`,
    );
  const { datapath } = await openDatapath(remote === undefined ? config.datapath : "nftables", {
    log: silentLog,
    stays: false,
    flowsMax: 0,
    state,
  });
  const stop = new AbortController();
  const off = onStop(() => stop.abort());
  try {
    datapath.look?.(state);
    const file = new PcapFile(write, snaplen);
    const capture = await datapath.capture({ forward: names[0], oneIn: onein, bytesMax: snaplen }, (packet, at, length) => {
      if (file.packets < packets) file.write(packet, at, length);
      if (file.packets >= packets) stop.abort();
    });
    await sleep(seconds * 1000, undefined, { signal: stop.signal }).catch(() => {});
    await capture.stop();
    file.close();
    process.stderr.write(
      `longhaul: ${file.packets} packets captured${capture.dropped > 0 ? `, ${capture.dropped} times some were lost` : ""}\n`,
    );
    return 0;
  } finally {
    off();
    await datapath.close(true);
  }
}
