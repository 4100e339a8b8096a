/** The payloads of VSP/1: types, codes, encoder, decoder. Device side. */
export * from "./messages/alarms.ts";
export * from "./messages/codes.ts";
export { decodeMessage } from "./messages/decode.ts";
export * from "./messages/disowned.ts";
export { encodeMessage } from "./messages/encode.ts";
export * from "./messages/ops.ts";
export type * from "./messages/types.ts";
