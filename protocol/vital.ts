/** Which channel a vital is read from, and what of a value a person is shown. Device side, and in browsers. */
import {
  BODY_TEMPERATURES,
  type ChannelDefinition,
  MDC_TEMP,
  MDC_TEMP_EAR,
  MDC_TEMP_FINGER,
  MDC_TEMP_SKIN,
  MDC_TEMP_TOE,
} from "./messages.ts";

/** Role of a channel that foretells where a reading will settle: never shown as the reading. */
export const ROLE_PREDICTED = "predicted";

const SKIN = [MDC_TEMP_SKIN, MDC_TEMP_EAR, MDC_TEMP_FINGER, MDC_TEMP_TOE];

/** All codes of a temperature, the dearest first: a body's, then one of no known place, then the skin's. */
export const TEMPERATURES: readonly number[] = BODY_TEMPERATURES.concat([MDC_TEMP], SKIN);

/** Whether it is the skin's temperature: never to be taken for the body's. */
export function isSkin(mdc: number): boolean {
  return SKIN.indexOf(mdc) >= 0;
}

/** `processing` of a channel that is computed from what was measured. */
const DERIVED = 2;

/** What a person may be shown of a raw value. */
export interface Claim {
  /** "<" and ">": the value lies below or above what its channel claims, and `raw` is that limit. */
  readonly sign: "" | "<" | ">";
  readonly raw: number;
}

/** A value below the channel's minimum is shown as "< minimum", one above its maximum as "> maximum", any other as it is. */
export function claimOf(definition: ChannelDefinition, raw: number): Claim {
  const minimum = definition.attributes.minimum;
  const maximum = definition.attributes.maximum;
  if (minimum !== undefined && raw < minimum) return { sign: "<", raw: minimum };
  if (maximum !== undefined && raw > maximum) return { sign: ">", raw: maximum };
  return { sign: "", raw };
}

/**
 * The channel that a vital of these codes is read from, the first code the dearest: what was derived before what a chip gave
 * by itself, never a prediction. null: there is none.
 */
export function vitalChannel(
  channels: readonly ChannelDefinition[],
  codes: readonly number[],
): ChannelDefinition | null {
  let best: ChannelDefinition | null = null;
  let bestRank = 0;
  for (let i = 0; i < channels.length; i++) {
    const channel = channels[i];
    const place = codes.indexOf(channel.mdc);
    if (place < 0 || channel.attributes.role === ROLE_PREDICTED) continue;
    const rank = place + (channel.attributes.processing === DERIVED ? 0 : codes.length);
    if (best === null || rank < bestRank) {
      best = channel;
      bestRank = rank;
    }
  }
  return best;
}
