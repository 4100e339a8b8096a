/** Feeds beats and an ECG to the rhythm side of the signal processing and tells what it says. Device dialect. */
import { createFibrillationMeter } from "../../../firmware/dsp/fibrillation.ts";
import { createFlutterGuard } from "../../../firmware/dsp/flutter.ts";
import { createHeartRateMeter } from "../../../firmware/dsp/heart-rate.ts";
import { createHrvMeter, type HeartRateVariability } from "../../../firmware/dsp/hrv.ts";
import { createQualityMeter } from "../../../firmware/dsp/quality.ts";
import { createRhythmMonitor } from "../../../firmware/dsp/rhythm.ts";
import { createRrSeries } from "../../../firmware/dsp/rr.ts";
import { bits } from "./text.ts";

export interface Rhythm {
  /** Times of beats, ms, ascending. */
  readonly beats: readonly number[];
  /** Counts of 4 uV at 128 hz. */
  readonly ecg: readonly number[];
}

function text(value: number | null): string {
  return value === null ? "null" : bits(value);
}

export function program(print: (line: string) => void, signals: Rhythm): void {
  const meter = createHeartRateMeter(1000);
  const fibrillation = createFibrillationMeter(1000);
  const series = createRrSeries(1000);
  const variability = createHrvMeter(1000);
  const quality = createQualityMeter(1000);
  const monitor = createRhythmMonitor(1000, (state, onset, end) => {
    print(`state ${state} ${bits(onset)} ${text(end)}`);
  });
  const rate: { value: number | null; flags: number } = { value: null, flags: 0 };
  const hrv: HeartRateVariability = { sdnn: null, rmssd: null, pnn50: null, count: 0, coverage: 0 };
  monitor.begin(0);
  quality.begin(0);
  for (let i = 0; i < signals.beats.length; i++) {
    const at = signals.beats[i];
    if (i % 97 === 96) {
      fibrillation.gap();
      series.gap();
    }
    meter.beat(at);
    fibrillation.beat(at);
    monitor.beat(at);
    quality.beat(at);
    const kind = series.beat(at);
    variability.add(at, series.interval(), kind);
    meter.read(at, rate);
    monitor.update(at, rate.value, fibrillation.read(), i % 50 === 49);
    quality.update(at, (i % 7) / 8, (i % 5) / 16);
    print(`${text(rate.value)} ${rate.flags} ${kind} ${text(fibrillation.read())} ${text(quality.read())}`);
    if (i % 20 > 0) continue;
    variability.read(at, hrv);
    print(`hrv ${text(hrv.sdnn)} ${text(hrv.rmssd)} ${text(hrv.pnn50)} ${hrv.count} ${bits(hrv.coverage)}`);
  }

  const guard = createFlutterGuard(128, 4);
  const ecg = new Int32Array(signals.ecg);
  for (let at = 0; at + 32 <= ecg.length; at += 32) {
    guard.push(ecg.subarray(at, at + 32), 32);
    const said = `${guard.ready()} ${guard.uncountable()} ${guard.admits(80)}`;
    print(`${said} ${bits(guard.waveRate())} ${bits(guard.restlessness())}`);
  }
}
