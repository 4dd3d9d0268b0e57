/** A stream through a kcptun server to its target: node tunnel-client.ts HOST PORT KEY, then type. `compat` names Debian's generation of kcptun. */
import { connect } from "longhaul/net";

const [host = "localhost", port = "29900", key = ""] = process.argv.slice(2);
const tunnel = connect({ host, port: Number(port), key, compat: "2021" });
const stream = tunnel.open();
process.stdin.pipe(stream).pipe(process.stdout);
stream.on("error", (error) => console.error(error.message));
stream.on("close", () => tunnel.close());
