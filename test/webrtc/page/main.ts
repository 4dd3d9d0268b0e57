/** Runs in Chromium: publishes a moving picture, or plays, and keeps samples of its statistics. */
import type { PageApi, Sample } from "../page-api.ts";

const samples: Sample[] = [];
let pc: RTCPeerConnection | undefined;
let started = 0;
let filming = 0;

/** Colours that drift and a patch of noise: an encoder can use some megabits for it, and can still do with a few hundred kilobits. */
function camera(width: number, height: number): MediaStream {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d")!;
  const [w, h] = [Math.round(width / 2), Math.round(height / 2)];
  const noise = document.createElement("canvas");
  noise.width = 2 * w;
  noise.height = 2 * h;
  const pixels = noise.getContext("2d")!.createImageData(noise.width, noise.height);
  for (let i = 0; i < pixels.data.length; i++) pixels.data[i] = i % 4 === 3 ? 255 : 96 + Math.random() * 64;
  noise.getContext("2d")!.putImageData(pixels, 0, 0);
  let frame = 0;
  filming = window.setInterval(() => {
    frame++;
    context.fillStyle = `hsl(${frame % 360} 60% 50%)`;
    context.fillRect(0, 0, width, height);
    context.drawImage(noise, (frame * 7) % w, (frame * 5) % h, w, h, w / 2, h / 2, w, h);
    context.fillStyle = `hsl(${(frame + 180) % 360} 90% 50%)`;
    context.fillRect((frame * 4) % width, height / 3, width / 6, height / 3);
  }, 33);
  return canvas.captureStream(30);
}

function tone(): MediaStreamTrack {
  const context = new AudioContext();
  const oscillator = context.createOscillator();
  const destination = context.createMediaStreamDestination();
  oscillator.connect(destination);
  oscillator.start();
  return destination.stream.getAudioTracks()[0]!;
}

async function gathered(connection: RTCPeerConnection): Promise<string> {
  while (connection.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 10));
  return connection.localDescription!.sdp;
}

function show({ streams, track }: RTCTrackEvent): void {
  const video = document.createElement("video");
  video.muted = true;
  video.autoplay = true;
  video.srcObject = streams[0] ?? new MediaStream([track]);
  document.body.replaceChildren(video);
}

async function exchange(url: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const connection = pc!;
  await connection.setLocalDescription();
  const offer = await gathered(connection);
  const { answer, location } = await post(url, headers, offer);
  await connection.setRemoteDescription({ type: "answer", sdp: answer });
  while (connection.connectionState !== "connected") {
    if (connection.connectionState === "failed") throw new Error("the connection failed");
    await new Promise((done) => setTimeout(done, 5));
  }
  started = performance.now();
  const timer = setInterval(() => (pc === connection ? void sample(connection) : clearInterval(timer)), 100);
  return location;
}

async function post(url: string, headers: Readonly<Record<string, string>>, offer: string): Promise<{ answer: string; location: string }> {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/sdp", ...headers }, body: offer });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return { answer: await response.text(), location: response.headers.get("location") ?? "" };
}

async function sample(connection: RTCPeerConnection): Promise<void> {
  const at = performance.now() - started;
  let [availableKbps, bytes, roundTripMs, frames, width] = [0, 0, 0, 0, 0];
  for (const stats of (await connection.getStats()).values()) {
    if (stats.type === "candidate-pair" && stats.nominated) {
      availableKbps = (stats.availableOutgoingBitrate ?? 0) / 1000;
      roundTripMs = (stats.currentRoundTripTime ?? 0) * 1000;
    }
    if (stats.type === "outbound-rtp" || stats.type === "inbound-rtp") {
      bytes += stats.bytesSent ?? stats.bytesReceived ?? 0;
      frames += stats.framesEncoded ?? stats.framesDecoded ?? 0;
      if (stats.type === "inbound-rtp") width = stats.frameWidth ?? width;
    }
    if (stats.type === "remote-inbound-rtp" && stats.roundTripTime !== undefined) roundTripMs = stats.roundTripTime * 1000;
  }
  samples.push({ at, availableKbps, bytes, roundTripMs, frames, width });
}

const api: PageApi = {
  publish(options) {
    pc = new RTCPeerConnection();
    samples.length = 0;
    const track = camera(options.width, options.height).getVideoTracks()[0]!;
    const maxBitrate = options.maxKbps * 1000;
    const three = [
      { rid: "h", maxBitrate },
      { rid: "m", maxBitrate: maxBitrate / 3, scaleResolutionDownBy: 2 },
      { rid: "l", maxBitrate: maxBitrate / 10, scaleResolutionDownBy: 4 },
    ];
    const sendEncodings = options.simulcast === true ? three : [{ maxBitrate }];
    const transceiver = pc.addTransceiver(track, { direction: "sendonly", sendEncodings });
    const codecs = RTCRtpSender.getCapabilities("video")!.codecs;
    transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === `video/${options.codec}` || mimeType === "video/rtx"));
    if (options.audio === true) pc.addTransceiver(tone(), { direction: "sendonly" });
    return exchange(options.url, options.headers);
  },
  play(url) {
    pc = new RTCPeerConnection();
    samples.length = 0;
    pc.addTransceiver("video", { direction: "recvonly" });
    pc.ontrack = show;
    return exchange(url);
  },
  samples: () => samples,
  close() {
    clearInterval(filming);
    for (const sender of pc?.getSenders() ?? []) sender.track?.stop();
    pc?.close();
    pc = undefined;
  },
};
Object.assign(globalThis, { webrtc: api });
