/** `vitalwire/protocol`: VSP/1, for devices, gateways and browsers. Only device-safe modules; crypto.node.ts stands apart. */
export * from "./base64.ts";
export * from "./boot-keys.ts";
export * from "./card.ts";
export {
  type Cbor,
  type CborMap,
  decode as decodeCbor,
  decodeTagged as decodeTaggedCbor,
  encode as encodeCbor,
  encodeTagged as encodeTaggedCbor,
  get as getFromMap,
  map as cborMap,
  type Tagged,
} from "./cbor.ts";
export * from "./checkpoint.ts";
export * from "./cose.ts";
export * from "./countersign.ts";
export * from "./crc32.ts";
export * from "./crl.ts";
export * from "./encrypt0.ts";
export * from "./firmware-object.ts";
export * from "./frame.ts";
export * from "./gateway-state.ts";
export * from "./hmac.ts";
export * from "./keys.ts";
export * from "./mac0.ts";
export * from "./manifest.ts";
export * from "./messages.ts";
export * from "./peek.ts";
export * from "./refusal.ts";
export * from "./samples.ts";
export * from "./vital.ts";
