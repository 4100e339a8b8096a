/** What an outbox's log takes, by its layout and the firmware's own forecast: to be held against what was measured. */
import { PAGE_HEADER, RECORD_HEADER, USE_AT } from "../../firmware/flash-log/format.ts";
import { bytesPerSecond } from "../../firmware/forecast.ts";
import type { Codec } from "../../firmware/packer.ts";
import type { ChannelDefinition } from "../../protocol/messages.ts";

export interface LayoutOptions {
  readonly channels: readonly ChannelDefinition[];
  readonly packet: { readonly period: number; readonly codec: Codec };
  readonly mode: "sign" | "mac";
  readonly pageSize: number;
  readonly markEvery: number;
}

/** All of a second. */
export interface Layout {
  /** Sealed bytes. */
  readonly sealed: number;
  readonly messages: number;
  readonly marks: number;
  /** Bytes written to flash. */
  readonly written: number;
  /** Pages that are taken into use, and so erased. */
  readonly pages: number;
}

/** A record's CRC, and half of what fills it to a multiple of 4. */
const RECORD_END = 4 + 1.5;
/** With each message of a board that signs manifests. */
const HASH = 16;
/** Of a page that is taken into use: what it says before anything in it is settled. */
const IN_USE = 2 * USE_AT;
/** Bytes of samples in a message at most (firmware/packer.ts); messages under a manifest, and s it waits (firmware/manifests.ts). */
const MESSAGE_BYTES = 3000;
const MANIFEST_MESSAGES = 60;
const MANIFEST_PERIOD = 60;
/** Bytes of a manifest for each message under it (firmware/forecast.ts). */
const MANIFEST_SHARE = 18;

/** A channel that gives samples, as the forecast sees it. */
const isWave = ({ rateMilliHz, attributes }: ChannelDefinition): boolean =>
  rateMilliHz > 1000 && (attributes.processing ?? 0) !== 2;

export function layoutOf({ channels, packet, mode, pageSize, markEvery }: LayoutOptions): Layout {
  const seal = { mode, encrypt: false };
  const periods = 1000 / packet.period;
  const room = pageSize - PAGE_HEADER;
  const extras = mode === "mac" ? HASH : 0;
  const cost = (of: readonly ChannelDefinition[]) => (of.length === 0 ? 0 : bytesPerSecond(of, packet, seal, true, 0));
  const waves = cost(channels.filter(isWave));
  const values = cost(channels.filter((channel) => !isWave(channel)));
  const parts = waves === 0 ? 0 : Math.ceil(waves / periods / MESSAGE_BYTES) * periods;
  const vitals = values === 0 ? 0 : periods;
  const manifests = mode === "mac" ? Math.max(1 / MANIFEST_PERIOD, (parts + vitals) / MANIFEST_MESSAGES) : 0;
  const marks = packet.period < markEvery ? 0 : 1000 / markEvery;

  const record = RECORD_HEADER + RECORD_END;
  const messages = parts + vitals + manifests;
  const sealed = waves + values;
  /**
   * A record lies in one page, so what is left at a page's end is lost: of records of one size what the last one lacks, of
   * parts of what was too large for one message half of one.
   */
  const pagesOf = (bytes: number, count: number) => {
    if (count === 0) return 0;
    const size = bytes / count + record + extras;
    return count > periods ? (count * size) / (room - size / 2) : count / Math.max(1, Math.floor(room / size));
  };
  // manifests lie in the stream of the vitals
  const share = mode === "mac" ? MANIFEST_SHARE : 0;
  const data = waves - share * parts;
  const rest = values + share * parts + (vitals + manifests) * record + vitals * extras + marks * RECORD_HEADER;
  const pages = pagesOf(data, parts) + rest / room;
  const written = sealed + messages * record + (parts + vitals) * extras + marks * RECORD_HEADER + pages * IN_USE;
  return { sealed, messages, marks, written, pages };
}
