/**
 * A client or backend in a namespace of the lab. Told by lines of JSON at standard input, one answer each.
 *
 *   {"do":"echo","host","port"}                                     answers every datagram with {"at": place, "saw": source, "said": text}
 *   {"do":"silence","host","port"}                                  closes that socket
 *   {"do":"send","to","port","sources","each","gapMs","waitMs","bytes"}     from so many source ports, so many datagrams each; answers what came back
 *   {"do":"refused","to","port","waitMs"}                           datagrams from a connected socket; answers the error that came of it
 *   {"do":"say","host","port","to","toPort","text","waitMs"}        one datagram from a given place
 */
import { createSocket, type Socket } from "node:dgram";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

export interface Answer {
  readonly at: string;
  readonly saw: string;
  readonly said: string;
  /** Where the answer came from, and the source port that got it. */
  readonly from: string;
  readonly port: number;
}

export interface Sent {
  readonly sent: number;
  /** Without what came twice; those of `each` > 16 are only counted. */
  readonly answers: readonly Answer[];
  readonly count: number;
  readonly refused: number;
  readonly seenAt: Readonly<Record<string, number>>;
}

interface Send {
  readonly to: string;
  readonly port: number;
  readonly host?: string;
  /** First of the source ports; 0: any. */
  readonly from?: number;
  readonly sources: number;
  readonly each: number;
  readonly gapMs: number;
  readonly waitMs: number;
  readonly bytes: number;
}

if (process.argv[1] === import.meta.filename) serve();

function serve(): void {
  const place = process.argv[2] ?? "";
  const echoes = new Map<string, Socket>();
  const kept = new Map<number, Socket>();
  createInterface({ input: process.stdin }).on("line", async (line) => {
    const request = JSON.parse(line) as { do: string; host: string; port: number } & Send;
    const key = `${request.host} ${request.port}`;
    let answer: unknown = {};
    if (request.do === "echo") echoes.set(key, await echo(place, request.host, request.port));
    else if (request.do === "silence") {
      echoes.get(key)?.close();
      echoes.delete(key);
    } else if (request.do === "refused") answer = await refusal(request);
    else if (request.do === "send") answer = await send(request, kept);
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  });
}

function open(host: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: host.includes(":") ? "udp6" : "udp4", recvBufferSize: 4 << 20 });
  socket.on("error", () => {});
  return new Promise((done) => socket.bind(port, host, () => done(socket)));
}

async function echo(place: string, host: string, port: number): Promise<Socket> {
  const socket = await open(host, port);
  socket.on("message", (message, { address, port: from }) => {
    const said = message.subarray(0, 40).toString("latin1").replace(/\0+$/, "");
    const text = JSON.stringify({ at: place, saw: `${address} ${from}`, said });
    socket.send(
      message.length > 1000 ? Buffer.concat([Buffer.from(text), Buffer.alloc(message.length - text.length)]) : text,
      from,
      address,
    );
  });
  return socket;
}

/** The kernel tells only who is connected. */
async function refusal({ to, port, waitMs }: Send): Promise<{ code: string }> {
  const socket = createSocket(to.includes(":") ? "udp6" : "udp4");
  let again: NodeJS.Timeout | undefined;
  try {
    return await new Promise((done) => {
      socket.on("error", (error: NodeJS.ErrnoException) => done({ code: error.code ?? "" }));
      // An error waits for the next call; a call's own is not the socket's.
      const ask = (): void =>
        socket.send("is anybody there", (error) => error && done({ code: (error as NodeJS.ErrnoException).code ?? "" }));
      socket.connect(port, to, () => {
        again = setInterval(ask, 50);
      });
      setTimeout(() => done({ code: "" }), waitMs);
    });
  } finally {
    clearInterval(again);
    socket.close();
  }
}

/** Source ports that were given by number stay open for the next time: a flow has one. */
async function send(plan: Send, kept: Map<number, Socket>): Promise<Sent> {
  const { to, port, host = to.includes(":") ? "::" : "0.0.0.0", from = 0, sources, each, gapMs, waitMs, bytes } = plan;
  const answers: Answer[] = [];
  const seenAt: Record<string, number> = {};
  const seen = new Set<string>();
  let refused = 0;
  const sockets: Socket[] = [];
  for (let i = 0; i < sources; i++) {
    const socket = (from > 0 ? kept.get(from + i) : undefined) ?? (await open(host, from === 0 ? 0 : from + i));
    if (from > 0) kept.set(from + i, socket);
    socket.removeAllListeners("message").removeAllListeners("error");
    socket.on("error", () => refused++);
    socket.on("message", (message, { address, port: back }) => {
      const text = message.toString("latin1").replace(/\0+$/, "");
      const own = socket.address().port;
      const { at, saw, said } = JSON.parse(text) as Answer;
      const key = `${own} ${said}`;
      if (seen.has(key)) return;
      seen.add(key);
      seenAt[at] = (seenAt[at] ?? 0) + 1;
      if (each <= 16) answers.push({ at, saw, said, from: `${address} ${back}`, port: own });
    });
    sockets.push(socket);
  }
  let next = performance.now();
  for (let n = 0; n < each; n++) {
    for (const socket of sockets) {
      const payload = Buffer.alloc(Math.max(bytes, 12));
      payload.write(`n${n}`);
      socket.send(payload, port, to, () => {});
    }
    next += gapMs;
    const pause = next - performance.now();
    if (gapMs > 0 ? pause > 1 : n % 64 === 63) await sleep(Math.max(0, pause));
  }
  const want = sources * each;
  for (const until = performance.now() + waitMs; performance.now() < until && seen.size < want; ) await sleep(5);
  if (from === 0) for (const socket of sockets) socket.close();
  return { sent: want, answers, count: seen.size, refused, seenAt };
}
