/** What a board's alarms are told: the `alarms` section of a node's configuration, as a file of its own. */
import { z } from "zod";
import { checkLimits } from "../firmware/alarms/settings.ts";
import { ADULT_ALARMS, type AlarmSettings, type LimitSettings } from "../firmware/alarms.ts";
import { readConfig } from "./config.ts";

/** `--alarms off`: nothing is held against any limit. */
const OFF = "off";

const PRIORITIES = { high: 1, medium: 2, low: 3 } as const;
const priority = z.enum(["high", "medium", "low"]).transform((word) => PRIORITIES[word]);
const limit = z.number().nullable().optional();
/** A map as this example has it; or off, which is null here. */
const orOff = <T extends z.ZodRawShape>(shape: T, example: string) =>
  z.preprocess(
    (value) => (value === OFF || value === false ? null : value),
    z
      .strictObject(shape, {
        error: (issue) => (issue.code === "invalid_type" ? `off, or a map such as ${example}` : undefined),
      })
      .nullable()
      .optional(),
  );
const limits = orOff(
  {
    low: limit,
    high: limit,
    delay: z.number().optional(),
    priority: priority.optional(),
    latching: z.boolean().optional(),
    hysteresis: z.number().optional(),
    blank: z.number().optional(),
  },
  "{ low: 90, high: 100, delay: 10 }",
);
const beat = orOff(
  { priority: priority.optional(), latching: z.boolean().optional() },
  "{ priority: high, latching: true }",
);

type Vital = Exclude<keyof AlarmSettings, "rhythm">;
type Rhythm = keyof NonNullable<AlarmSettings["rhythm"]>;
/** In the order of the alarms' ids (protocol/messages/alarms.ts). */
const VITALS: readonly Vital[] = ["spo2", "heartRate", "pulseRate", "temperature", "respiration"];

/** What is not in the file is as for an adult; what breaks the firmware's bounds is told at its own line. */
const vital = (name: Vital) =>
  limits.transform((own, context): LimitSettings | undefined => {
    if (own === null) return undefined;
    const settings = { ...ADULT_ALARMS[name], ...own } as LimitSettings;
    try {
      checkLimits(VITALS.indexOf(name), settings);
    } catch (error) {
      const message = (error as Error).message.replace(`alarms: ${name} `, "");
      const [key] = message.split(" ");
      context.addIssue({ code: "custom", message, path: own !== undefined && key in own ? [key] : [] });
    }
    return settings;
  });
const rhythm = (name: Rhythm) =>
  beat.transform((own) => (own === null ? undefined : { ...ADULT_ALARMS.rhythm![name]!, ...own }));

const section = z.strictObject({
  spo2: vital("spo2"),
  heartRate: vital("heartRate"),
  pulseRate: vital("pulseRate"),
  temperature: vital("temperature"),
  respiration: vital("respiration"),
  rhythm: orOff(
    {
      asystole: rhythm("asystole"),
      uncountable: rhythm("uncountable"),
      pause: rhythm("pause"),
      fibrillation: rhythm("fibrillation"),
    },
    "{ pause: off, asystole: { priority: high } }",
  ),
});

/** The settings of `--alarms`: a file, "off" (undefined is returned), or absent: as for an adult. Throws UsageError with file and line. */
export function readAlarmSettings(option: string | undefined): AlarmSettings | undefined {
  if (option === OFF) return undefined;
  if (option === undefined) return ADULT_ALARMS;
  const { rhythm: named, ...vitals } = readConfig(option, section);
  const rhythms = named === null ? undefined : (named ?? ADULT_ALARMS.rhythm);
  return defined({ ...vitals, rhythm: rhythms && defined(rhythms) }) as AlarmSettings;
}

/** Without the keys that have no value. */
const defined = (value: object) => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
