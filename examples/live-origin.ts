/** RTMP in, LL-HLS out: publish to rtmp://localhost:1935/live/a-secret-key, play http://localhost:8080/live/show/index.m3u8. */
import { delivery, liveConfig, NodeLoop, Origin, serveHttp, silentLog } from "longhaul/live";

const [rtmp = 1935, http = 8080] = process.argv.slice(2).map(Number);
const origin = new Origin(liveConfig.parse({ channels: { show: "a-secret-key" } }), new NodeLoop(), silentLog);
origin.listen({ host: "127.0.0.1", port: rtmp });
await serveHttp(delivery(origin).fetch, { host: "127.0.0.1", port: http });
console.log("ready");
