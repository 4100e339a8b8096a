/**
 * `evaluate spo2`: the oximeter that ships, and others beside it, over synthetic fingers under a MAX30102, steady and
 * desaturating; and with a folder of them over recordings of induced desaturation.
 */
import { breath } from "./detections.ts";
import { phoneRecordingsOf, readPhoneRecording } from "./phone.ts";
import type { DesaturationRow } from "./spo2-desaturation.ts";
import { type IncidentRow, runIncidents } from "./spo2-incidents.ts";
import { type Spo2Condition, spo2Conditions } from "./spo2-light.ts";
import type { Spo2Figures, Spo2MeterFactory, Spo2Peer } from "./spo2-meter.ts";
import { type PhoneRow, phoneChannels, scorePhone } from "./spo2-phone.ts";
import { type Spo2Sweep, type SweepOptions, sweepSpo2 } from "./spo2-sweep.ts";

export interface Spo2Options extends SweepOptions {
  /** Folder of phone recordings, or of `oximetry-phone` with them; absent: synthetic fingers alone. */
  readonly dataFolder?: string | undefined;
  readonly meterFactory: Spo2MeterFactory;
  /** Run over the same samples. */
  readonly peers?: readonly Spo2Peer[] | undefined;
}

/** What one oximeter reached. */
export interface Spo2Result extends Spo2Sweep {
  readonly desaturation: readonly DesaturationRow[];
  readonly incidents: readonly IncidentRow[];
  /** Where there is a folder: every recording of it, by name, with each pair of colours. */
  readonly phone?: readonly PhoneRow[];
}

export interface Spo2PeerResult extends Spo2Result {
  readonly name: string;
  readonly source: string;
}

/**
 * `arms` is an R-recovery error in SpO2 points on synthetic pulses, no accuracy on people; all of it over all rows. A point is
 * one of the reference design's curve: 0.01 of R are 0.73 points at 70 %, 0.3 at 95 % and none at its top, 99.957 %.
 */
export interface Spo2Document extends Spo2Result {
  readonly figure: string;
  readonly conditions: Readonly<Record<Spo2Condition, string>>;
  readonly peers?: readonly Spo2PeerResult[];
}

export const SPO2_FIGURE =
  "R-recovery error in SpO2 points (reference-design curve) on synthetic pulses, whose model the estimator shares: no accuracy on people";

/** The same at every call. Throws Error (file, line, value, what to do) for a folder without recordings, or a damaged one. */
export async function evaluateSpo2(options: Spo2Options): Promise<Spo2Document> {
  const { meterFactory, peers = [], dataFolder } = options;
  const factories = [meterFactory, ...peers.map(({ factory }) => factory)];
  const found = dataFolder === undefined ? [] : phoneRecordingsOf(dataFolder);
  const phone = factories.map((): PhoneRow[] => []);
  let parts = 0;
  for (const recording of found.map(readPhoneRecording)) {
    for (const [which, factory] of factories.entries()) {
      for (const channels of phoneChannels) phone[which]!.push(scorePhone(recording, channels, factory));
    }
    options.onPart?.(++parts, found.length);
    await breath();
  }
  const swept = await sweepSpo2(factories, options);
  const happened = await runIncidents(factories, options.seed);
  const results = swept.map(
    ({ sweep, desaturation }, which): Spo2Result => ({
      ...sweep,
      desaturation,
      incidents: happened[which]!,
      ...(dataFolder !== undefined && { phone: phone[which]! }),
    }),
  );
  return {
    ...results[0]!,
    figure: SPO2_FIGURE,
    conditions: spo2Conditions,
    ...(peers.length > 0 && {
      peers: peers.map(({ name, source }, which) => ({ name, source, ...results[which + 1]! })),
    }),
  };
}

export type { DesaturationRow, IncidentRow, PhoneRow, Spo2Figures, Spo2Sweep };
