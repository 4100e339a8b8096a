/** How long an outbox lasts while nobody hears: a forecast, from what a configuration declares. Device side. */
import type { ChannelDefinition } from "../protocol/messages.ts";
import type { Codec } from "./packer.ts";
import type { SealSettings } from "./sealer.ts";

/** Bytes of a sample, as recorded ECG and pulses cost them in blocks of a second (PROTOCOL.md section 2.1). */
const SAMPLE: Record<Codec, number> = { raw24: 3, delta: 1.25, rice: 1 };
/** Bytes of a message's own items, of a block's, of a value with its quality. */
const HEADER = 14;
const BLOCK = 12;
const VALUE = 9;
/** A message's share of the manifest over it. */
const MANIFEST_SHARE = 18;

/** Bytes that sealing adds (PROTOCOL.md section 1). */
const sealing = (seal: Pick<SealSettings, "mode" | "encrypt">): number => {
  if (seal.mode === "mac") return (seal.encrypt ? 38 : 29) + MANIFEST_SHARE;
  return seal.encrypt ? 124 : 86;
};

/** Sealed bytes a second; `apart`: vitals travel in messages of their own; `record`: bytes that the log adds to each. */
export function bytesPerSecond(
  channels: readonly ChannelDefinition[],
  packet: { readonly period: number; readonly codec: Codec },
  seal: Pick<SealSettings, "mode" | "encrypt">,
  apart: boolean,
  record: number,
): number {
  let waves = 0;
  let values = 0;
  let samples = 0;
  for (let i = 0; i < channels.length; i++) {
    const channel = channels[i];
    const derived = (channel.attributes.processing ?? 0) === 2;
    // a chip that is read every few seconds at most gives values
    if (channel.rateMilliHz === 0 || derived || channel.rateMilliHz <= 1000) values++;
    else {
      waves++;
      samples += channel.rateMilliHz / 1000;
    }
  }
  const messages = apart && waves > 0 && values > 0 ? 2 : 1;
  const each = messages * (sealing(seal) + HEADER + record) + waves * BLOCK + values * VALUE;
  return samples * SAMPLE[packet.codec] + (each * 1000) / packet.period;
}
