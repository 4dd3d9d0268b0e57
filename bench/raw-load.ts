/**
 * The ends of bench/raw.ts inside their namespaces: `send` offers datagrams of BYTES to a port of this machine, RATE a second for MILLISECONDS, `receive`
 * counts what comes and prints the sum ten times a second. The sender gives 16 datagrams to the kernel at once (UDP_SEGMENT), so that it takes little of the core that
 * it shares with a client; whose socket does not take them merged gets them one by one.
 */
import { Batch } from "../src/base/batch.ts";
import { EpollLoop } from "../src/host/loop-epoll.ts";

const [role, port, bytes, rate, milliseconds] = process.argv.slice(2).map((word, i) => (i === 0 ? word : Number(word))) as [
  string,
  ...number[],
];
const BURST = 16;
const BURSTS_MAX = 64;
const loop = new EpollLoop();
const plain = { host: role === "send" ? "127.0.0.1" : "0.0.0.0", segmentation: role === "send", socketBufferBytes: 8 << 20 };
if (role === "send") send();
else receive();

function send(): void {
  const socket = loop.udp({ ...plain, port: 0 }, { receive: () => {}, writable: () => {} });
  const batch = new Batch(BURST);
  const peer = socket.addresses.intern("127.0.0.1", port!);
  for (let i = 0; i < BURST; i++) batch.add(batch.slot(i), batch.slot(i) + bytes!, peer);
  const began = loop.now();
  let sent = 0;
  loop.drive({
    advance: (now) => {
      if (now >= began + milliseconds!) {
        console.log(JSON.stringify({ sent }));
        loop.stop();
      }
      for (let bursts = 0; bursts < BURSTS_MAX && sent < ((now - began) * rate!) / 1000; bursts++) {
        batch.length = BURST;
        sent += socket.send(batch, 0);
      }
      // A millisecond at most between bursts: what waits in the other socket's buffer stays small.
      return began + (sent / rate!) * 1000;
    },
  });
  loop.run();
}

function receive(): void {
  const socket = loop.udp({ ...plain, port: port! }, { receive: () => {}, writable: () => {} });
  loop.drive({
    advance: (now) => {
      console.log(JSON.stringify({ received: socket.counters.receivedDatagrams }));
      return now + 100;
    },
  });
  console.log("listening");
  loop.run();
}
