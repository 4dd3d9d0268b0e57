/** Runs in Chromium: plays by Shaka, publishes a clock by WHIP, watches it by WHEP. */
import type { DelayApi, Seen } from "../page-api.ts";
import { ageOf, HEIGHT, paintTime, WIDTH } from "./clock-picture.ts";

interface ShakaPlayer {
  configure(options: object): void;
  attach(video: HTMLVideoElement): Promise<void>;
  load(url: string): Promise<void>;
  getPlayheadTimeAsDate(): Date | null;
}
declare const shaka: { polyfill: { installAll(): void }; Player: new () => ShakaPlayer };

const delays: number[] = [];
let still = 0;
const video = document.createElement("video");
video.muted = true;
video.autoplay = true;
video.playsInline = true;

/** The origin runs on this machine: its clock is ours. */
const clock = (): number => performance.timeOrigin + performance.now();

async function exchange(connection: RTCPeerConnection, url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 10));
  const body = connection.localDescription!.sdp;
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/sdp", ...headers }, body });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  await connection.setRemoteDescription({ type: "answer", sdp: await response.text() });
}

function paintEvery(milliseconds: number): MediaStream {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext("2d")!;
  let frame = 0;
  setInterval(() => {
    context.fillStyle = `hsl(${frame++ % 360} 60% 50%)`;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    paintTime(context, clock());
  }, milliseconds);
  return canvas.captureStream(30);
}

function readEveryPicture(): void {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const read = (): void => {
    context.drawImage(video, 0, 0, WIDTH, HEIGHT);
    const age = ageOf(context, clock());
    if (age !== undefined) delays.push(age);
    video.requestVideoFrameCallback(read);
  };
  video.requestVideoFrameCallback(read);
}

const api: DelayApi = {
  async playByShaka(url) {
    document.body.replaceChildren(video);
    shaka.polyfill.installAll();
    const player = new shaka.Player();
    player.configure({ streaming: { lowLatencyMode: true } });
    await player.attach(video);
    await player.load(url);
    await video.play();
    let before = -1;
    setInterval(() => {
      const date = player.getPlayheadTimeAsDate();
      if (date === null || video.currentTime === 0) return;
      if (video.currentTime === before) still++;
      before = video.currentTime;
      delays.push(clock() - date.getTime());
    }, 100);
  },
  async publishClock(url, key) {
    const connection = new RTCPeerConnection();
    const [track] = paintEvery(33).getVideoTracks();
    const transceiver = connection.addTransceiver(track!, { direction: "sendonly", sendEncodings: [{ maxBitrate: 1_500_000 }] });
    const { codecs } = RTCRtpSender.getCapabilities("video")!;
    transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === "video/H264" || mimeType === "video/rtx"));
    await exchange(connection, url, { authorization: `Bearer ${key}` });
  },
  async watchClock(url) {
    document.body.replaceChildren(video);
    const connection = new RTCPeerConnection();
    connection.addTransceiver("video", { direction: "recvonly" });
    connection.ontrack = ({ track }) => {
      video.srcObject = new MediaStream([track]);
    };
    readEveryPicture();
    await exchange(connection, url, {});
    await video.play();
  },
  seen(): Seen {
    const { droppedVideoFrames, totalVideoFrames } = video.getVideoPlaybackQuality();
    return { delays, droppedFrames: droppedVideoFrames, frames: totalVideoFrames, still };
  },
};
Object.assign(globalThis, { delay: api });
