/**
 * `longhaul/h264`: what a container must know of H.264 (ISO/IEC 14496-10 and -15): configurations, picture size, what an access unit holds.
 *
 * ```ts
 * const configuration = parseDecoderConfiguration(avcC);                   // undefined = damaged
 * configuration?.codec;                                                    // "avc1.64001f"
 * if (inspectAccessUnit(bytes, 0, 4) & HAS_IDR) startSegment();            // NAL units each behind a length of 4 bytes
 * ```
 *
 * Input is borrowed for the call and never changed.
 */
export { widenLengths } from "../nal/length.ts";
export { HAS_IDR, HAS_SLICE, inspectAccessUnit, WELL_FORMED } from "./access-unit.ts";
export { type DecoderConfiguration, parseDecoderConfiguration } from "./decoder-configuration.ts";
export * as h264 from "./index.ts";
export { parseSequenceParameterSet, type SequenceParameterSet } from "./sequence-parameter-set.ts";
