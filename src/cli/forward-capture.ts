/** `longhaul forward capture`: packets of forwards, some or all, into a pcap file. */
import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import { ConfigError } from "../base/errors.ts";
import type { Datapath } from "../forward/datapath.ts";
import type { DesiredState } from "../forward/desired-state.ts";
import { silentLog } from "../host/log.ts";
import { PcapFile } from "../host/pcap.ts";
import { Remote } from "./forward-control.ts";
import { openDatapath } from "./forward-datapaths.ts";
import type { captureConfig, Shared } from "./forward-options.ts";
import { readState, statePath } from "./forward-place.ts";
import { chosen } from "./forward-show.ts";
import { onStop } from "./signals.ts";

export async function runCapture(config: z.output<typeof captureConfig>): Promise<number> {
  const { names, write, onein, snaplen, packets, seconds } = config;
  if (write === "") throw new ConfigError("write", "--write: nothing given; give the path of a pcap file, or - for standard output");
  if (names.length > 1) throw new ConfigError("names", `capture: ${names.length} names given; give one, or none for all forwards`);
  const path = statePath(config.state);
  const state = readState(path);
  chosen(state, names);
  const { source, close } = await sourceOf(config, path, state);
  const stop = new AbortController();
  const off = onStop(() => stop.abort());
  try {
    const file = new PcapFile(write, snaplen);
    const capture = await source.capture({ forward: names[0], oneIn: onein, bytesMax: snaplen }, (packet, at, length) => {
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
    await close();
  }
}

interface Source {
  readonly source: Pick<Datapath, "capture">;
  readonly close: () => Promise<void>;
}

/** The process that runs; where the kernel's own table can be asked, that: a process less is on the way. */
async function sourceOf(config: Shared, path: string, state: DesiredState): Promise<Source> {
  const remote = await Remote.find(path);
  if (remote !== undefined && remote.place.datapath !== "nftables") return { source: remote, close: async () => {} };
  const wanted = remote === undefined ? config.datapath : "nftables";
  const { datapath } = await openDatapath(wanted, { log: silentLog, stays: false, flowsMax: 0, state });
  datapath.look?.(state);
  return { source: datapath, close: () => datapath.close(true) };
}
