/** The newest value of a vital, and how it is shown. Pure. */
import type { ChannelDefinition } from "../../protocol/messages.ts";
import { claimText, exactDecimal, type VitalKind } from "./scales.ts";
import { FLAGS, flagWords } from "./words.ts";

/** The newest value of a vital. */
export interface Reading {
  readonly definition: ChannelDefinition;
  readonly raw: number | null;
  readonly flags: number;
  /** Of the signal behind it, 0..100; null: not known. */
  readonly quality: number | null;
  /** Board time, us. */
  readonly time: number;
  /** When it was so, as far as the board's clock tells: for one that came late, before it came. ms since the epoch. */
  readonly heardAt: number;
}

/** A vital as it is shown. */
export interface Shown {
  /** Exact decimal; null: none. */
  readonly value: string | null;
  /** As a person reads it: "97.1", "< 70" where the channel claims no less, "--". */
  readonly text: string;
  readonly words: readonly string[];
}

/** Below this quality a number is of a poor signal, 0..100. */
const POOR = 50;

export const none = (...words: string[]): Shown => ({ value: null, text: "--", words });

/** `site`: where the sensor of its signal is on the body. */
export function shownOf(reading: Reading, kind: VitalKind | undefined, site: string | undefined): Shown {
  const { definition, raw, flags, quality } = reading;
  const words = flagWords(flags & ~FLAGS.testSignal, site);
  if (flags & FLAGS.testSignal) words.push("test signal");
  if (raw === null) return none(...words);
  if (quality !== null && quality < POOR) words.push("poor signal");
  return { value: exactDecimal(definition, raw), text: claimText(definition, raw, kind?.decimals ?? 2), words };
}
