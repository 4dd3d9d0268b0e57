/** netcat over KCP on your own UDP socket: node kcp-over-dgram.ts OWN-PORT PEER-PORT at both ends, then type. */
import { createSocket } from "node:dgram";
import { Kcp } from "longhaul/kcp";

const [port = 4000, peer = 4001] = process.argv.slice(2).map(Number);
const kcp = new Kcp({ conv: 7, mtu: 1350, sndWnd: 128, rcvWnd: 128, nodelay: 1, interval: 10, resend: 2, nc: 1, profile: "2026" });
const receive = (m: Buffer) => kcp.receive(performance.now(), m, new DataView(m.buffer, m.byteOffset, m.length), 0, m.length, true);
const socket = createSocket("udp4", receive).bind(port, "127.0.0.1");
const view = new DataView(new ArrayBuffer(65_536));
const bytes = new Uint8Array(view.buffer);
process.stdin.on("data", (typed: Buffer) => kcp.send(performance.now(), typed, 0, typed.length));
setInterval(() => {
  kcp.advance(performance.now());
  while (kcp.readable > 0) process.stdout.write(bytes.slice(0, kcp.read(performance.now(), bytes, 0, bytes.length)));
  for (let n = -1; n !== 0; n = kcp.transmit(performance.now(), bytes, view, 0))
    if (n > 0) socket.send(bytes.slice(0, n), peer, "127.0.0.1");
}, 10);
