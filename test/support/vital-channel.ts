/** A vital's channel as a birth declares it: tenths of its unit. */
import type { Attributes, ChannelDefinition } from "../../protocol/messages.ts";

export const vitalChannel = (
  id: number,
  mdc: number,
  ucum: string,
  attributes: Attributes = {},
): ChannelDefinition => ({
  id,
  mdc,
  rateMilliHz: 0,
  bits: 13,
  offset: 0,
  mul: 1,
  exp10: -1,
  ucum,
  attributes: { processing: 2, ...attributes },
});
