/** How long an outbox lasts while nobody hears: a forecast, from what a configuration declares. Device side. */
import type { ChannelDefinition } from "../protocol/messages.ts";
import type { Outbox } from "./outbox-types.ts";
import type { Codec } from "./packer.ts";
import type { SealSettings } from "./sealer.ts";

/** Bytes of a sample: recorded ECGs of the MIT-BIH database cost it within a tenth (tools/outbox-day.ts); computed ones less. */
const sample = (codec: Codec, rate: number): number => {
  if (codec === "raw24") return 3;
  const dense = rate >= 200;
  if (codec === "delta") return dense ? 138 / 100 : 150 / 100;
  return dense ? 105 / 100 : 122 / 100;
};
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
  let coded = 0;
  for (let i = 0; i < channels.length; i++) {
    const channel = channels[i];
    const derived = (channel.attributes.processing ?? 0) === 2;
    // a chip that is read every few seconds at most gives values
    if (channel.rateMilliHz === 0 || derived || channel.rateMilliHz <= 1000) values++;
    else {
      waves++;
      coded += (channel.rateMilliHz / 1000) * sample(packet.codec, channel.rateMilliHz / 1000);
    }
  }
  const messages = apart && waves > 0 && values > 0 ? 2 : 1;
  const each = messages * (sealing(seal) + HEADER + record) + waves * BLOCK + values * VALUE;
  return coded + (each * 1000) / packet.period;
}

/** What was sent in this many seconds says how much it will be. */
const SEEN = 60;

/** Seconds that an outbox lasts at `rate` bytes a second; `period`: ms between two messages of waveforms, which fill its pages. */
export function holdsFor(outbox: Pick<Outbox, "room" | "page">, rate: number, period: number): number {
  const page = outbox.page;
  const record = (rate * period) / 1000;
  // what is left at a page's end is lost
  const used = page === null || record > page ? 1 : (Math.floor(page / record) * record) / page;
  return Math.floor((outbox.room * used) / rate);
}

/** The same: by what a boot of `seconds` has given it, before a minute of that by what the channels promise. `hash`: of each message. */
export function offlineOf(
  outbox: Outbox,
  seconds: number,
  channels: readonly ChannelDefinition[],
  packet: { readonly period: number; readonly codec: Codec },
  seal: Pick<SealSettings, "mode" | "encrypt">,
  hash: number,
): number {
  const promised = (): number =>
    bytesPerSecond(channels, packet, seal, outbox.persistent, outbox.persistent ? outbox.overhead + hash : 0);
  return holdsFor(outbox, seconds < SEEN ? promised() : outbox.taken / seconds, packet.period);
}
