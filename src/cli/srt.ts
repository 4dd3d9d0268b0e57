/** SRT into the live origin, where srt-live-transmit is installed. */
import { createHmac, randomBytes } from "node:crypto";
import type { Log } from "../host/log.ts";
import type { Loop } from "../host/loop.ts";
import { srtProgramMissing, startSrtListener } from "../host/srt-program.ts";
import type { LiveConfig } from "../live/config.ts";
import type { Origin } from "../live/origin.ts";
import { SrtFront } from "../live/srt-front.ts";
import { parseHostPort } from "../tunnel/address.ts";
import type { Installation } from "./installation.ts";

/** False, and said in the log: encoders cannot come by SRT. */
export async function srtServed(log: Log): Promise<boolean> {
  const problem = await srtProgramMissing();
  if (problem === undefined) return true;
  log.error({ event: "SRT Unavailable" }, `--srt: SRT is not served: ${problem}; install srt-live-transmit (Debian: srt-tools)`);
  return false;
}

/** With an installation each channel has a passphrase of its own, and its insecureIngest says whether a stream may come without. @throws ConfigError, HostError */
export function serveSrt(config: LiveConfig, origin: Origin, loop: Loop, installation: Pick<Installation, "passphrase"> | undefined): void {
  const { host, port } = parseHostPort("srt", config.srt, 0);
  const key = randomBytes(32);
  const needed = config.srtpassphrase !== "";
  origin.srt = new SrtFront(origin, loop, {
    host,
    port,
    latency: config.srtlatency,
    sessionsMax: config.connections,
    setup: config.publishwait * 1000,
    encryption: (channel) => {
      // Channels of --channels are not the installation's.
      const own = installation?.passphrase(channel) ?? "";
      return own === "" ? { passphrase: config.srtpassphrase, needed } : { passphrase: own, needed: false };
    },
    cookie: (address, minute) => createHmac("sha256", key).update(`${address} ${minute}`).digest().readUInt32LE(0),
    start: startSrtListener,
  });
}
