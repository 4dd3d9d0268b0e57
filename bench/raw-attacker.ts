/**
 * Sends RATE packets a second to a raw server at PORT of this namespace, from everywhere: noise, what the server's clients have sent, and the same damaged, with
 * right checksums and wrong ones. What it needs of theirs it hears itself. Prints the sums every second. Arguments: ADDRESS PORT RATE SEED.
 */
import { Batch, SLOT_BYTES } from "../src/base/batch.ts";
import { Prng } from "../src/base/prng.ts";
import { addInternet, foldInternet } from "../src/faketcp/checksum.ts";
import { addressBytes } from "../src/host/ip-address.ts";
import { EpollLoop } from "../src/host/loop-epoll.ts";
import { RawSocket } from "../src/host/raw-socket.ts";

const HEARD_MAX = 4096;
const BURST = 32;
const [address = "", port = 0, rate = 0, seed = 1] = process.argv.slice(2).map((word, i) => (i === 0 ? word : Number(word))) as [
  string,
  ...number[],
];
const loop = new EpollLoop();
const random = new Prng(seed);
const server = addressBytes(address);
const heard: Uint8Array[] = [];
const sums = { noise: 0, repeated: 0, damaged: 0, mended: 0, opened: 0, resets: 0, unsent: 0 };
const ours = new Set<string>();
const raw = new RawSocket(
  loop,
  { version: 4, bufferBytes: 4 << 20 },
  {
    receive: (_now, { bytes, start, end, length }) => {
      for (let i = 0; i < length; i++) {
        const packet = bytes.slice(start[i], end[i]);
        // Those of a client come by the link, ours by loopback: they are known by their marks.
        if (ours.has(`${packet[12]}.${packet[13]}.${packet[14]}.${packet[15]}`)) continue;
        if (heard.length < HEARD_MAX) heard.push(packet);
        else heard[random.below(HEARD_MAX)] = packet;
      }
    },
    writable: () => undefined,
  },
);
raw.filter({ protocol: 6, port });
const batch = new Batch(BURST);
const began = loop.now();
let sent = 0;
loop.drive({
  advance: (now) => {
    for (let bursts = 0; bursts < 64 && sent < ((now - began) * rate) / 1000; bursts++) {
      batch.length = 0;
      for (let i = 0; i < BURST; i++) batch.add(batch.slot(i), lay(batch.slot(i)));
      sums.unsent += BURST - raw.send(batch, 0);
      sent += BURST;
    }
    return began + (sent / rate) * 1000;
  },
});
setInterval(() => console.log(JSON.stringify({ sent, ...sums })), 1000);
loop.attach();

/** Lays a packet at `at`; answers its end. */
function lay(at: number): number {
  const kind = random.below(100);
  const known = heard.length > 0 ? heard[random.below(heard.length)]! : undefined;
  if (known === undefined || kind < 40) {
    const flags = kind < 8 ? 0x02 : kind < 10 ? 0x04 : 0x18;
    if (flags === 0x02) sums.opened++;
    else if (flags === 0x04) sums.resets++;
    else sums.noise++;
    return noise(at, flags, flags === 0x18 ? random.below(1400) : 0);
  }
  batch.bytes.set(known.subarray(0, SLOT_BYTES), at);
  const end = at + Math.min(known.length, SLOT_BYTES);
  if (kind < 60) {
    sums.repeated++;
    return end;
  }
  const flips = 1 + random.below(4);
  for (let i = 0; i < flips; i++) batch.bytes[at + 20 + random.below(end - at - 20)]! ^= 1 << random.below(8);
  if (kind < 70) {
    sums.damaged++;
    return end;
  }
  sums.mended++;
  mend(at, end);
  return end;
}

function noise(at: number, flags: number, payload: number): number {
  const { bytes, view } = batch;
  const end = at + 40 + payload;
  random.fill(bytes.subarray(at, end));
  bytes.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 201, 1 + random.below(200), random.below(256)], at);
  ours.add(`10.201.${bytes[at + 14]}.${bytes[at + 15]}`);
  view.setUint16(at + 2, end - at);
  bytes.set(server, at + 16);
  view.setUint16(at + 22, port);
  bytes[at + 32] = 0x50;
  bytes[at + 33] = flags;
  mend(at, end);
  return end;
}

/** Right checksums of IPv4 and TCP. */
function mend(at: number, end: number): void {
  const { bytes, view } = batch;
  view.setUint16(at + 10, 0);
  view.setUint16(at + 10, foldInternet(addInternet(bytes, at, at + 20)));
  view.setUint16(at + 36, 0);
  view.setUint16(at + 36, foldInternet(addInternet(bytes, at + 20, end, addInternet(bytes, at + 12, at + 20, 6 + end - at - 20))));
}
