/** A board's alarms and what they told, for their tests. */
import { FLAG_OFF_BODY } from "../../drivers/driver.ts";
import { ADULT_ALARMS, type Alarm, type AlarmSettings, createAlarms } from "../../firmware/alarms.ts";
import * as vsp from "../../protocol/messages.ts";

export const S = 1_000_000;
export const vital = (
  id: number,
  mdc: number,
  ucum: string,
  attributes: vsp.Attributes = {},
): vsp.ChannelDefinition => ({
  ...{ id, mdc, rateMilliHz: 0, bits: 16, offset: 0, mul: 1, exp10: -1, ucum, attributes },
});
export const SPO2 = 4;
export const RATE = 5;
export const WARM = 6;
export const channels = [
  vital(SPO2, vsp.MDC_SPO2, "%"),
  vital(RATE, vsp.MDC_HEART_RATE, "/min"),
  // as a TMP117 gives it: 1/128 degree
  { ...vital(WARM, vsp.MDC_TEMPERATURE, "Cel", { site: "axilla" }), mul: 78125, exp10: -7 },
  vital(7, vsp.MDC_PERFUSION_INDEX, "%"),
];

export type Told = Alarm & { at: number };
export function board(settings: AlarmSettings = ADULT_ALARMS, vitals: readonly vsp.ChannelDefinition[] = channels) {
  const told: Told[] = [];
  const alarms = createAlarms({ vitals, settings, onAlarm: (alarm, at) => told.push({ ...alarm, at: at / S }) });
  let now = 0;
  return {
    alarms,
    told,
    get now() {
      return now;
    },
    /** One value a second, the first of them a second from now; "silence" is no call at all. */
    feed(channel: number, values: readonly (number | null | "silence")[], flags = 0) {
      for (const value of values) {
        now += S;
        if (value !== "silence")
          alarms.take(
            channel,
            value === null ? null : Math.round(value * 10),
            value === null ? FLAG_OFF_BODY : flags,
            now,
          );
        alarms.update(now);
      }
    },
    /** [id, state, at, onset], s */
    short: () => told.map(({ id, state, at, onset }) => [id, state, at, onset / S]),
  };
}
export const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
export const simple: AlarmSettings = { spo2: { low: 90, high: 98, delay: 10, latching: false } };
