/** Feeds values to the alarms of a board and tells what they say, as events. Device dialect. */
import { FLAG_OFF_BODY } from "../../../drivers/driver.ts";
import { ADULT_ALARMS, alarmEvent, createAlarms } from "../../../firmware/alarms.ts";
import {
  alarmWords,
  type ChannelDefinition,
  decodeAlarm,
  encodeAlarm,
  MDC_HEART_RATE,
  MDC_SPO2,
} from "../../../protocol/messages.ts";

/** Each a second's [SpO2, heart rate], raw; below 0: null. */
export type Readings = readonly (readonly number[])[];

export function program(print: (line: string) => void, readings: Readings): void {
  const define = (id: number, mdc: number, ucum: string): ChannelDefinition => {
    return { id, mdc, rateMilliHz: 0, bits: 13, offset: 0, mul: 1, exp10: -1, ucum, attributes: {} };
  };
  let tick = 0;
  const alarms = createAlarms({
    vitals: [define(4, MDC_SPO2, "%"), define(5, MDC_HEART_RATE, "/min")],
    settings: ADULT_ALARMS,
    onAlarm: (alarm) => {
      const small = encodeAlarm(alarmEvent(alarm, tick));
      print(`${tick} ${alarmWords(alarm.id)} ${JSON.stringify(small)} ${decodeAlarm(small) !== null}`);
    },
  });
  for (let i = 0; i < readings.length; i++) {
    tick += 1000;
    for (let k = 0; k < 2; k++) {
      const raw = readings[i][k];
      alarms.take(4 + k, raw < 0 ? null : raw, raw < 0 ? FLAG_OFF_BODY : 0, tick * 1000);
    }
    if (i % 211 === 100) alarms.rhythm(2, tick * 1000 - 3500000, null);
    if (i % 211 === 104) alarms.rhythm(2, tick * 1000 - 7500000, tick * 1000);
    alarms.update(tick * 1000);
    if (i % 97 === 96) alarms.acknowledge(1 + (i % 4), tick * 1000);
    if (i % 131 === 130) alarms.pause(20, tick * 1000);
    if (i === 300) alarms.setLimits(4, { low: 88 }, tick * 1000);
  }
  print(`active ${alarms.active().length}`);
}
