/**
 * Three pictures of 96 × 64 in HEVC and in AV1, as x265 and libaom made them through Debian's ffmpeg (`color=red`, a key frame every two): records and pictures
 * as they stand in MP4.
 */
interface Coded {
  readonly record: Uint8Array;
  readonly pictures: readonly Uint8Array[];
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16));

export const hevc: Coded = {
  record: bytes(
    "0101600000009000000000001ef000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003001e928090a100010029420101" +
      "01600000030090000003000003001ea0308105964a924caf016808000003000800000300c840a2000100074401c172b42240",
  ),
  pictures: [
    bytes("000000152801af1d80f7cfa13ffcd4a7f3aa85d5516baff338"),
    bytes("0000000b0201d0097e10c63bf96a40"),
    bytes("000000172a01ac08f5c520f7b568fff792dfe4f34bb51dac296a55"),
  ],
};

export const av1: Coded = {
  record: bytes("81000c000a0a000000032dffcdaf9004"),
  pictures: [
    bytes("0a0a000000032dffcdaf9004321b10008800041041100000c1b4e5c1a2503ec8d65dffa7985e292f1b"),
    bytes("321230038080fdf806a0002cb2cb1408210095a7"),
    bytes("0a0a000000032dffcdaf9004321a100083400001000000c1b4b68000b76b1cb016ec9a4bef07d835"),
  ],
};
