/** What one kind of signal gives: numbers that are read when they are asked for. Device side. */
import type { Block } from "../../drivers/driver.ts";

/**
 * A vital: its place in `definitions`, its raw value or null, its flags, the quality of the signal behind it, 0 to 100, or
 * null where that is unknown, and when it was, board clock, us, or null where it is that of the reading.
 */
export type OnVital = (
  index: number,
  value: number | null,
  flags: number,
  quality: number | null,
  at: number | null,
) => void;

/** What a vital is on the wire (PROTOCOL.md section 2, chandef). */
export interface Kind {
  readonly mdc: number;
  readonly ucum: string;
  /** value = raw x 10^exp10 = raw / scale. */
  readonly exp10: number;
  readonly scale: number;
  readonly bits: number;
  /** Lowest and highest value that is claimed, raw: below and above it a display shows "<" and ">" and the limit. */
  readonly minimum?: number;
  readonly maximum?: number;
  readonly role?: string;
  readonly site?: string;
  readonly calibration?: string;
}

export interface Source {
  readonly kinds: readonly Kind[];
  /** A block of channel `place` of the sensor. */
  take(place: number, block: Block): void;
  /** What is known of channel `place` after the last block of every channel: flags besides those of the block. */
  flags(place: number): number;
  /** Its quality, 0 to 100, as of the last reading; null where it is unknown. */
  quality(place: number): number | null;
  /**
   * Channel `place` was interrupted: what it gave before does not belong to what comes. `why`: flags of all values until the
   * next block; 0: they begin anew.
   */
  interrupted(place: number, why: number): void;
  /** By place in `kinds`; values in the unit of the kind, before scaling. */
  read(now: number, emit: OnVital): void;
}

export const MICROSECONDS = 1000000;
/** A chip that has given nothing for this long gives no vital either, us. */
export const SILENCE = 3 * MICROSECONDS;
/** A block that begins so much after the end of the last one does not follow it, whatever its chip says, us. */
export const GAP = MICROSECONDS / 2;
