/** Real media through forwards: calls of sipp whose RTP ports are learnt from SDP, and a picture of ffmpeg. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Children, longhaul, waitFor } from "../interop/children.ts";
import { BACKEND, CLIENT, type Lab, LISTEN } from "./lab.ts";

const CALLS = 10;
/** Packets of 20 ms that a caller sends. */
const RTP_PACKETS = 100;

/** `datapaths`: in the kernel, as many as this machine has. */
export function media(lab: Lab, datapaths: readonly string[]): void {
  describe("media through longhaul forward", () => checks(lab, datapaths));
}

function checks(lab: Lab, datapaths: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "longhaul-media-"));
  const state = join(folder, "forward.json");
  const children = new Children();
  const forward = (...args: readonly string[]): string =>
    execFileSync(longhaul, ["forward", args[0]!, "--state", state, ...args.slice(1)], { encoding: "utf8", timeout: 60_000 });

  afterEach(async () => {
    await children.endAll();
    forward("remove", "--all");
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const datapath of [...datapaths, "userspace"]) {
    const title = `${datapath}: ${CALLS} calls of sipp by IPv4, ${CALLS} by IPv6, media only where SDP says`;
    test(title, { skip: missing("sipp") }, async () => {
      const child = children.start("run", [longhaul, "forward", "run", "--state", state, "--datapath", datapath]);
      await waitFor(child, '"forwarding"');
      const callers = ([4, 6] as const).map(async (family) => {
        const place = (host: string, port: number): string => `${family === 4 ? host : `[${host}]`}:${port}`;
        const to = (port: number): string[] => ["--listen", place(LISTEN[family], port), "--to", place(BACKEND.a[family], port)];
        const [own, media] = [mkdtempSync(join(folder, "calls-")), family === 4 ? 20_000 : 20_010];
        writeCalls(own, family);
        forward("add", "--name", `sip${family}`, ...to(5060), "--sip");
        const answering = ["-i", BACKEND.a[family], "-p", "5060", "-mi", BACKEND.a[family], "-mp", String(media), "-rtp_echo", "-nostdin"];
        const callee = children.start("uas", ["sipp", "-sf", join(own, "uas.xml"), ...answering], lab.prefix("a"));
        await sleep(500);
        assert.equal(callee.process.exitCode, null, callee.output());
        const calls = ["-i", CLIENT[family], "-m", String(CALLS), "-r", "5", "-nostdin", "-timeout", "40"];
        const sipp = ["env", "-C", own, "sipp", place(LISTEN[family], 5060), "-sf", join(own, "uac.xml"), ...calls];
        const caller = children.start("uac", sipp, lab.prefix("c"));
        assert.equal(await caller.exited, 0, caller.output().slice(-2000));
      });
      await Promise.all(callers);
      const flows = JSON.parse(forward("flows", "--json")) as { forward: string; packetsIn: number; packetsOut: number }[];
      for (const name of ["sip4:20000", "sip6:20010"]) {
        const rtp = flows.filter((flow) => flow.forward === name);
        const came = rtp.reduce((total, { packetsIn }) => total + packetsIn, 0);
        const back = rtp.reduce((total, { packetsOut }) => total + packetsOut, 0);
        // A call's first packets may be there before its port is.
        assert.ok(came > CALLS * RTP_PACKETS * 0.9, `${name}: ${came} RTP packets came through`);
        assert.ok(back >= came * 0.98, `${name}: ${back} of ${came} came back`);
      }
      assert.deepEqual([...new Set(flows.map((flow) => flow.forward))].sort(), ["sip4", "sip4:20000", "sip6", "sip6:20010"]);
    });
  }

  for (const datapath of datapaths) {
    test(`${datapath}: pictures of ffmpeg by RTP arrive whole, by IPv4 and IPv6`, { skip: missing("ffmpeg") }, async () => {
      const child = children.start("run", [longhaul, "forward", "run", "--state", state, "--datapath", datapath]);
      await waitFor(child, '"forwarding"');
      // ffmpeg listens at all addresses.
      const portOf = { 4: 7000, 6: 7010 } as const;
      const receivers = ([4, 6] as const).map((family) => {
        const bracketed = (host: string): string => (family === 4 ? host : `[${host}]`);
        forward(
          "add",
          "--name",
          `rtp${family}`,
          "--listen",
          `${bracketed(LISTEN[family])}:${portOf[family]}-${portOf[family] + 1}`,
          "--to",
          bracketed(BACKEND.a[family]),
        );
        const sdp = join(folder, `picture${family}.sdp`);
        writeFileSync(
          sdp,
          `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP${family} ${BACKEND.a[family]}\nt=0 0\nm=video ${portOf[family]} RTP/AVP 96\na=rtpmap:96 MP4V-ES/90000\na=fmtp:96 profile-level-id=1\n`,
        );
        const taking = ["ffmpeg", "-nostdin", "-protocol_whitelist", "file,udp,rtp", "-i", sdp, "-t", "3", "-f", "null", "-"];
        return children.start("receiver", taking, lab.prefix("a"));
      });
      await sleep(1000);
      for (const place of [`${LISTEN[4]}:${portOf[4]}`, `[${LISTEN[6]}]:${portOf[6]}`]) {
        const source = "-re -f lavfi -i testsrc=r=25:s=320x240 -t 8 -c:v mpeg4 -g 25 -b:v 1M -f rtp".split(" ");
        children.start("sender", ["ffmpeg", "-nostdin", ...source, `rtp://${place}?pkt_size=1200`], lab.prefix("c"));
      }
      await Promise.race([Promise.all(receivers.map(({ exited }) => exited)), sleep(25_000)]);
      for (const receiver of receivers) {
        const frames = Number([...receiver.output().matchAll(/frame= *(\d+)/g)].at(-1)?.[1] ?? 0);
        assert.ok(frames >= 70, `${frames} frames: ${receiver.output().slice(-800)}`);
        assert.doesNotMatch(receiver.output(), /missed [1-9]\d* packets/);
      }
      const flows = JSON.parse(forward("flows", "--json")) as { forward: string; packetsIn: number }[];
      for (const name of ["rtp4", "rtp6"])
        assert.ok(
          flows.some((flow) => flow.forward === name && flow.packetsIn > 100),
          name,
        );
    });
  }
}

/** sipp's own scenarios, with an address of the forwarder where the callee names its media, and a caller that sends some. */
function writeCalls(folder: string, family: 4 | 6): void {
  const built = (name: string): string => spawnSync("sipp", ["-sd", name], { encoding: "utf8" }).stdout;
  writeFileSync(join(folder, "uas.xml"), built("uas").replace("c=IN IP[media_ip_type] [media_ip]", `c=IN IP${family} ${LISTEN[family]}`));
  mkdirSync(join(folder, "pcap"), { recursive: true });
  writeFileSync(join(folder, "pcap/tone.pcap"), tone());
  const uac = built("uac").replace(
    "<pause/>",
    '<nop><action><exec play_pcap_audio="pcap/tone.pcap"/></action></nop><pause milliseconds="2500"/>',
  );
  assert.match(uac, /play_pcap_audio/);
  writeFileSync(join(folder, "uac.xml"), uac);
}

/** A capture of RTP as sipp wants it: Ethernet, a packet each 20 ms. */
function tone(): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2_c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(1, 20);
  const packets = Array.from({ length: RTP_PACKETS }, (_, i) => {
    const frame = Buffer.alloc(16 + 14 + 20 + 8 + 12 + 160);
    frame.writeUInt32LE(Math.floor(i / 50), 0);
    frame.writeUInt32LE((i % 50) * 20_000, 4);
    frame.writeUInt32LE(frame.length - 16, 8);
    frame.writeUInt32LE(frame.length - 16, 12);
    frame.writeUInt16BE(0x0800, 16 + 12);
    frame.writeUInt8(0x45, 30);
    frame.writeUInt16BE(200, 32);
    frame.writeUInt8(64, 38);
    frame.writeUInt8(17, 39);
    frame.writeUInt16BE(4000, 50);
    frame.writeUInt16BE(4000, 52);
    frame.writeUInt16BE(180, 54);
    frame.writeUInt16BE(0x8000, 58);
    frame.writeUInt16BE(i, 60);
    frame.writeUInt32BE(i * 160, 62);
    frame.writeUInt32BE(0x1234_5678, 66);
    return frame;
  });
  return Buffer.concat([head, ...packets]);
}

function missing(program: string): string | false {
  return spawnSync("which", [program]).status === 0 ? false : `${program} is not installed`;
}
