/**
 * Forwarding between namespaces, with every datapath that this machine can have.
 *
 *   node test/forward/main.ts [--reloads 200]          needs root, iproute2, nftables
 */
import { after, test } from "node:test";
import { parseArgs } from "node:util";
import { NftablesDatapath } from "../../src/forward/nftables/datapath.ts";
import { openUserspace } from "../../src/forward/userspace/open.ts";
import { silentLog } from "../../src/host/log.ts";
import { behaviour } from "./behaviour.ts";
import { command } from "./command.ts";
import { insideForwarder, labMissing } from "./lab.ts";
import { media } from "./media.ts";

const { values } = parseArgs({ options: { reloads: { type: "string", default: "200" } } });
const missing = labMissing("nft");
if (missing !== undefined) test("forwarding between namespaces", { skip: missing }, () => {});
else {
  const lab = insideForwarder(import.meta.filename);
  if (lab !== undefined) {
    const reloads = Number(values.reloads);
    behaviour({ name: "nftables", reloads, open: () => NftablesDatapath.open({ log: silentLog, watch: true }) }, lab);
    behaviour({ name: "userspace", reloads, open: async () => openUserspace(1000) }, lab);
    command(lab);
    media(lab);
    after(() => lab.down());
  }
}
