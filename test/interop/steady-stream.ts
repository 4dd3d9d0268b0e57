/**
 * A steady stream that is watched: `serve PORT` receives it and prints, once a second and at its end, a line of JSON; `run PORT SECONDS [BYTES]` sends BYTES,
 * 1,000 by default, every 10 ms. The longest pause is told beside how late the receiver's own timers were: a busy machine is no fault of the tunnel.
 */
import { connect, createServer } from "node:net";

const PIECE_MS = 10;
const [role, port = "0", seconds = "10", pieceBytes = "1000"] = process.argv.slice(2);
const at = (index: number): number => (Math.imul(index, 2654435761) >>> 13) & 255;

export interface StreamFacts {
  readonly received: number;
  readonly wrong: number;
  /** Longest time without a byte, and the longest that a timer of 5 ms was late. */
  readonly pauseMs: number;
  /** Bytes that had come before it. */
  readonly pauseAfter: number;
  readonly lateMs: number;
  readonly ended: boolean;
}

if (role === "serve") {
  let lateMs = 0;
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    lateMs = Math.max(lateMs, now - last - 5);
    last = now;
  }, 5);
  createServer((socket) => {
    let received = 0;
    let wrong = 0;
    let pauseMs = 0;
    let pauseAfter = 0;
    let heard = 0;
    lateMs = 0;
    const tell = (ended: boolean): void => {
      const facts: StreamFacts = { received, wrong, pauseMs: Math.round(pauseMs), pauseAfter, lateMs: Math.round(lateMs), ended };
      console.log(JSON.stringify(facts));
    };
    const timer = setInterval(() => tell(false), 1000);
    socket.on("data", (data: Buffer) => {
      const now = performance.now();
      if (heard > 0 && now - heard > pauseMs) {
        pauseMs = now - heard;
        pauseAfter = received;
      }
      heard = now;
      for (let i = 0; i < data.length; i++) if (data[i] !== at(received + i)) wrong++;
      received += data.length;
    });
    socket.on("error", () => tell(true));
    socket.on("end", () => {
      clearInterval(timer);
      tell(true);
      socket.end();
    });
  }).listen(Number(port), "127.0.0.1", () => console.log("listening"));
} else if (role === "run") {
  const bytes = Number(pieceBytes);
  const pieces = (Number(seconds) * 1000) / PIECE_MS;
  const socket = connect(Number(port), "127.0.0.1", () => {
    const begun = performance.now();
    let sent = 0;
    const timer = setInterval(() => {
      for (; sent < pieces && begun + sent * PIECE_MS <= performance.now(); sent++) {
        socket.write(Uint8Array.from({ length: bytes }, (_, i) => at(sent * bytes + i)));
      }
      if (sent < pieces) return;
      clearInterval(timer);
      socket.end();
    }, PIECE_MS);
  });
  socket.on("error", (error) => {
    console.log(`broken: ${error.message}`);
    process.exitCode = 1;
  });
}
