/** An endpoint: says its name to each connection, and in front of each datagram that it sends back, with whom it came from behind it. `endpoint.ts NAME PORT` */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const [name = "", port = "0"] = process.argv.slice(2);
createServer((socket) => {
  socket.on("error", () => {});
  socket.write(`${name}\n`);
  socket.resume().on("end", () => socket.end());
}).listen(Number(port), "0.0.0.0");
const socket = createSocket("udp4");
socket.on("message", (bytes, from) => socket.send(`${name} ${bytes} ${from.address}:${from.port}`, from.port, from.address));
socket.bind(Number(port), "0.0.0.0", () => process.stdout.write("{}\n"));
