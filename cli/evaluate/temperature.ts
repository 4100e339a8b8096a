/** vitalwire evaluate temperature: the firmware's temperature filter on synthetic skins. */
import {
  evaluateTemperature,
  type TemperatureDocument,
  type TemperatureErrors,
  type TemperatureFigures,
  WRONG,
} from "../../simulator/evaluate/temperature.ts";
import { report } from "./run.ts";
import { percent, table } from "./table.ts";

export interface EvaluateTemperatureOptions {
  readonly seed: number;
  readonly compare?: boolean;
  readonly json?: boolean;
}

export const evaluateTemperatureCommand = (options: EvaluateTemperatureOptions): Promise<void> =>
  report(options, "skins", describeTemperature, (onPart) =>
    evaluateTemperature({ seed: options.seed, compare: options.compare, onPart }),
  );

const kelvin = (value: number | null) => (value === null ? "-" : value.toFixed(3));
const seconds = (value: number | null) => (value === null ? "-" : value.toFixed(0));
const errors = ({ rms, max }: TemperatureErrors) => [kelvin(rms), kelvin(max)];
const HEADS = ["RMS K", "max K", "settled %", "wrong %", "after s", "unnoticed s", "off s", "predicted", "max K", "%"];

const figures = (of: TemperatureFigures) => [
  ...errors(of),
  percent(of.settled),
  percent(of.wrong),
  ...[of.settledAfter, of.unnoticed, of.settledOff].map(seconds),
  ...errors(of.predicted),
  percent(of.predicted.coverage),
];

export function describeTemperature(document: TemperatureDocument): string[] {
  const { stories, chips, timeConstants, peers = [] } = document;
  const group = (name: string, of: readonly (TemperatureFigures & { readonly name: string })[]) => [
    [name],
    ...of.map((one) => [`  ${one.name}`, ...figures(one)]),
  ];
  return [
    ...table([
      ["", ...HEADS],
      ...group("story", stories),
      ...group("chip", chips),
      ...group("time constant on the skin", timeConstants),
      ["all", ...figures(document)],
    ]),
    "",
    `RMS, max: of what is shown as settled, against where the sensor would come to rest; wrong: of that, by more than ${WRONG} K`,
    "after: from contact to settled, median; unnoticed: on the body and still settled at the room's temperature, longest",
    "off: taken off and yet settled, in all; predicted: RMS, max and how much of the time while it settles; never shown as a value",
    ...(peers.length === 0
      ? []
      : [
          "",
          ...table([
            ["shown without a flag", "always, RMS K", "max K", "while vitalwire is settled", "max K"],
            ["vitalwire", ...errors(document.always), ...errors(document)],
            ...peers.map((peer) => [peer.name, ...errors(peer.always), ...errors(peer.whereSettled)]),
          ]),
        ]),
  ];
}
