/**
 * `longhaul/aac`: AudioSpecificConfig (ISO/IEC 14496-3): which AAC it is, how fast, how many channels.
 *
 * ```ts
 * parseAudioSpecificConfig(Uint8Array.of(0x12, 0x10));                     // { codec: "mp4a.40.2", sampleRate: 44100, channels: 2, … }; undefined = damaged
 * ```
 */
export { type AudioSpecificConfig, parseAudioSpecificConfig } from "./audio-specific-config.ts";
export * as aac from "./index.ts";
