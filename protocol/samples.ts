/**
 * The lossless sample codecs of PROTOCOL.md section 2.1: 0 raw24be, 1 delta, 2 rice. Samples are signed, |x| < 2^23, 1..1024 in a
 * block. Device side.
 */
export { decodeSamples } from "./samples/decode.ts";
export { encodeBest, encodeRice, encodeSamples } from "./samples/encode.ts";
export { type Codec, MAX_SAMPLES, SAMPLE_LIMIT } from "./samples/limits.ts";
