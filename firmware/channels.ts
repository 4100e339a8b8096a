/** From a driver's channels to the definitions that a birth carries. Device side. */
import type { Channel, Driver, Identity } from "../drivers/driver.ts";
import { type Attributes, type ChannelDefinition, MDC_TEMPERATURE } from "../protocol/messages.ts";
import type { Calibration } from "./dsp/calibration.ts";
import type { Attachment } from "./reader.ts";
import { temperatureOf } from "./sites.ts";

export interface SensorPlan {
  readonly attachment: Attachment;
  /** Where on the body; ECG lead where the wiring is known. */
  readonly site?: string;
  /** Of an oximeter: this device's own. */
  readonly calibration?: Calibration;
  readonly lead?: string;
  /** true: the board sets the LEDs' currents itself (light.ts), until a command sets one. Absent: they stay as configured. */
  readonly automaticLedCurrent?: boolean;
  /**
   * The same chip on the same wires in another configuration, as its `Chip.create`: for commands that need close and open.
   * Throws as that does. Absent: such commands are not possible.
   */
  readonly recreate?: (configuration: unknown) => Driver;
}

const identityCode = (identity: Identity | null): 0 | 1 | 2 => {
  if (identity === null || identity.verdict === "refused") return 2;
  return identity.verdict === "confirmed" ? 0 : 1;
};

/** A chip's reading is of a body by the generic code, with its site beside it; the vital has the site's own (vitals/). */
const temperatureCode = (site: string | undefined): number => {
  const found = temperatureOf(site);
  return found.kind === "body" ? MDC_TEMPERATURE : found.mdc;
};

/** The channel of a chip as the birth declares it (PROTOCOL.md section 2, chandef). */
export function defineChannel(
  id: number,
  channel: Channel,
  plan: SensorPlan,
  identity: Identity | null,
): ChannelDefinition {
  const attributes: Attributes = Object.assign(
    {
      chip: plan.attachment.driver.model,
      processing: channel.processing,
      minimum: channel.minimum,
      maximum: channel.maximum,
      identity: identityCode(identity),
    },
    channel.role === undefined ? null : { role: channel.role },
    plan.site === undefined ? null : { site: plan.site },
    plan.lead === undefined ? null : { lead: plan.lead },
  );
  return {
    id,
    mdc: channel.name === "temperature" || channel.name === "object" ? temperatureCode(plan.site) : channel.mdc,
    rateMilliHz: Math.round(channel.rate * 1000),
    bits: channel.bits,
    offset: channel.offset,
    mul: channel.mul,
    exp10: channel.exp10,
    ucum: channel.unit,
    attributes,
  };
}
