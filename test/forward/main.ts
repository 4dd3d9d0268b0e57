/**
 * Forwarding between namespaces, with every datapath that this machine can have.
 *
 *   node test/forward/main.ts [--reloads 200] [--only nftables,xdp,userspace,command,media,webrtc]          needs root, iproute2, nftables
 */
import { after, test } from "node:test";
import { NftablesDatapath } from "../../src/forward/nftables/datapath.ts";
import { openUserspace } from "../../src/forward/userspace/open.ts";
import { XdpDatapath } from "../../src/forward/xdp/xdp-datapath.ts";
import { Bpf } from "../../src/host/bpf/bpf.ts";
import { BpfObject } from "../../src/host/bpf/bpf-object.ts";
import { readObject } from "../../src/host/bpf/bpffs.ts";
import { silentLog } from "../../src/host/log.ts";
import { loadSys } from "../../src/host/sys.ts";
import { parseArgs } from "../script-args.ts";
import { behaviour, type Subject } from "./behaviour.ts";
import { command } from "./command.ts";
import { insideForwarder, type Lab, labMissing } from "./lab.ts";
import { media } from "./media.ts";
import { webrtc } from "./webrtc.ts";

const { values } = parseArgs({ options: { reloads: { type: "string", default: "200" }, only: { type: "string" } } });
const wanted = (name: string): boolean => values.only === undefined || values.only.split(",").includes(name);
/** Why XDP cannot be had here. Frames reach a veth only if its other end has NAPI, and must have their checksums. */
function xdpMissing(lab: Lab): string | undefined {
  if (labMissing("ethtool") !== undefined) return "ethtool is not installed";
  for (const place of ["c", "a", "b"] as const) lab.run(place, "ethtool", "-K", "eth0", "gro", "on", "tx", "off");
  try {
    new BpfObject(new Bpf(loadSys()), readObject("bench")).close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const missing = labMissing("nft");
if (missing !== undefined) test("forwarding between namespaces", { skip: missing }, () => {});
else {
  const lab = insideForwarder(import.meta.filename);
  if (lab !== undefined) {
    const reloads = Number(values.reloads);
    const noXdp = xdpMissing(lab);
    const subjects: readonly Subject[] = [
      { name: "nftables", reloads, open: () => NftablesDatapath.open({ log: silentLog, watch: true }) },
      { name: "xdp", reloads, open: async () => new XdpDatapath({ name: lab.forwarder, interfaces: ["wc", "wa", "wb"] }) },
      { name: "userspace", reloads, open: async () => openUserspace(1000) },
    ];
    if (noXdp !== undefined) test("xdp", { skip: noXdp }, () => {});
    for (const subject of subjects) if (wanted(subject.name) && (subject.name !== "xdp" || noXdp === undefined)) behaviour(subject, lab);
    const inKernel = noXdp === undefined ? ["xdp", "nftables"] : ["nftables"];
    if (wanted("command")) command(lab, noXdp);
    if (wanted("media")) media(lab, inKernel);
    if (wanted("webrtc")) webrtc(lab, inKernel);
    after(() => lab.down());
  }
}
