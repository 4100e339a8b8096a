/** Events 3, 4, 6 and 7 in words, the same for the page and for `monitor`, and what of them a person should see now. */
import { describe, expect, test } from "vitest";
import { contactWords, nameOf, type Told, ToldList, toldOf, toldWords } from "../../gateway/dashboard/told.ts";
import { bandWords, flagWords } from "../../gateway/dashboard/words.ts";
import { encode, map } from "../../protocol/cbor.ts";
import {
  type ChannelDefinition,
  EVENT_COMMAND_RESULT,
  EVENT_CONFIGURATION,
  EVENT_CONTACT,
  EVENT_FAULT,
  EVENT_OVERFLOW,
  type EventMessage,
  MDC_ECG,
  MDC_PLETH,
  OP_SET_LED_CURRENT,
  OP_SET_RATE,
} from "../../protocol/messages.ts";

const channel = (id: number, mdc: number, attributes: object): ChannelDefinition => ({
  ...{ id, mdc, rateMilliHz: 100_000, bits: 18, offset: 0, mul: 1, exp10: 0, ucum: "1" },
  attributes: { processing: 0, minimum: 0, maximum: 1, identity: 0, ...attributes } as ChannelDefinition["attributes"],
});
const CHANNELS = [
  channel(0, MDC_PLETH, { role: "red", site: "finger", chip: "MAX30102" }),
  channel(1, MDC_PLETH, { role: "infrared", site: "finger", chip: "MAX30102" }),
  channel(2, MDC_ECG, { chip: "MAX30003" }),
  channel(3, 1, { chip: "TMP117" }),
  channel(4, MDC_PLETH, { role: "green", site: "wrist", chip: "MAX30101" }),
];
const event = (code: number, small: EventMessage["small"]): EventMessage => ({
  ...{ type: "event", boot: 1, seq: 5, tick: 5000, cfg: 1 },
  ...{ code, small },
});
const told = (code: number, small: EventMessage["small"]) => toldOf(event(code, small), (id) => CHANNELS[id], nameOf);

test.each<readonly [number, EventMessage["small"], string, boolean]>([
  [EVENT_CONTACT, [1, 2], "contact: no finger", true],
  [EVENT_CONTACT, [1, 1], "contact: finger there, settling", false],
  [EVENT_CONTACT, [1, 0], "contact: finger there, good", false],
  [EVENT_CONTACT, [4, 2], "contact: sensor off the body", true],
  [EVENT_CONTACT, [4, 0], "contact: sensor there, good", false],
  [EVENT_CONTACT, [2, 4], "contact: an electrode is off", true],
  [EVENT_CONTACT, [2, 1], "contact: electrodes on, settling", false],
  [EVENT_CONTACT, [2, 0], "contact: electrodes on, good", false],
  [EVENT_CONTACT, [9, 4], "contact: an electrode is off", true],
  [EVENT_OVERFLOW, [0, 3, 12], "lost: 12 samples of red", false],
  [EVENT_OVERFLOW, [2, 3, 1], "lost: 1 sample of the ECG", false],
  [EVENT_OVERFLOW, [9, 3, null], "lost: an unknown number of samples of channel 9", false],
  [
    EVENT_CONFIGURATION,
    [
      1,
      OP_SET_LED_CURRENT,
      encode(
        map([
          [1, 12],
          [2, 0],
        ]),
      ),
    ],
    "set: set-led-current 12 mA, red",
    false,
  ],
  [EVENT_CONFIGURATION, [1, 99, encode(map([]))], "set: operation 99", false],
  [EVENT_FAULT, [1, 3, "TMP117: read: not acknowledged"], "fault (no answer): TMP117: read: not acknowledged", false],
  [EVENT_FAULT, [77, null, "x"], "fault (code 77): x", false],
  [
    EVENT_FAULT,
    [6, 3, "TMP117: given up after 30 s; check power and wiring; tried on. L"],
    "SENSOR GIVEN UP: TMP117 after 30 s; check power and wiring; tried on.",
    true,
  ],
  [
    EVENT_FAULT,
    [4, 2, "MAX30003: lead off: ECGP and ECGN (STATUS 0x9); put the electrod"],
    "fault (data): MAX30003: lead off: ECGP and ECGN (STATUS 0x9); put the electrod…",
    false,
  ],
])("event %i %j is told as %s", (code, small, text, lasting) => {
  expect(told(code, small)).toMatchObject({ text, lasting });
});

test("another event, and one that is none of this protocol, is told by nobody here", () => {
  for (const small of [null, 7, "x", [], ["x", 1], [1], ["x", 1, Uint8Array.of(0xff)]]) {
    for (const code of [EVENT_CONTACT, EVENT_FAULT, EVENT_CONFIGURATION]) expect(told(code, small)).toBe(null);
  }
  expect(told(EVENT_COMMAND_RESULT, [1, 2, 3])).toBe(null);
});

test("a setting is told by its operation's name, whatever it is", () => {
  const { text } = told(EVENT_CONFIGURATION, [
    2,
    OP_SET_RATE,
    encode(
      map([
        [1, 200_000],
        [2, 2],
      ]),
    ),
  ])!;
  expect(text).toMatch(/^set: set-rate .*the ECG$/);
});

test("values, bands and events say the same of a finger", () => {
  expect(flagWords(2, "finger")).toEqual([contactWords(2, CHANNELS[0])]);
  expect(bandWords(2, "finger")).toBe("NO FINGER");
  expect(bandWords(2, "wrist")).toBe("SENSOR OFF");
  expect(flagWords(64 | 8)).toEqual(["motion", "sensor fault"]);
});

describe("what is shown", () => {
  const finger = (flags: number) => told(EVENT_CONTACT, [1, flags])!;
  const shown = (list: ToldList, now: number) => list.shown(now).map((one) => toldWords(one, now));

  test("a finger that is off is shown until it is there, and that for a minute, with its age", () => {
    const list = new ToldList();
    list.take(finger(2), 1000);
    expect(shown(list, 500_000)).toEqual(["contact: no finger"]);
    list.take(finger(1), 501_000);
    list.take(finger(0), 505_000);
    expect(shown(list, 508_400)).toEqual(["contact: finger there, good (3 s ago)"]);
    expect(shown(list, 564_999)).toHaveLength(1);
    expect(shown(list, 565_001)).toEqual([]);
  });

  test("what came late changes nothing", () => {
    const list = new ToldList();
    list.take(finger(0), 5000);
    list.take(finger(2), 4000);
    expect(shown(list, 6000)).toEqual(["contact: finger there, good (1 s ago)"]);
  });

  test("a sensor that was given up is shown until it measures again, before what is over, however often it fails", () => {
    const list = new ToldList();
    const fault = told(EVENT_FAULT, [1, 3, "TMP117: nobody answers"])!;
    list.take(told(EVENT_FAULT, [6, 3, "TMP117: given up after 30 s"])!, 30_000);
    for (let tick = 31_000; tick < 200_000; tick += 1000) list.take(fault, tick);
    expect(shown(list, 199_500)).toEqual([
      "SENSOR GIVEN UP: TMP117 after 30 s",
      "fault (no answer): TMP117: nobody answers (1 s ago)",
    ]);
    list.measured("MAX30102", 200_000);
    list.measured("TMP117", 29_000);
    expect(list.shown(300_000)).toHaveLength(1);
    list.measured("TMP117", 200_000);
    expect(shown(list, 300_000)).toEqual([]);
  });

  test("what to do about an electrode is not shown when it is on again", () => {
    const list = new ToldList();
    list.take(told(EVENT_FAULT, [4, 2, "MAX30003: lead off"])!, 1000);
    list.take(told(EVENT_CONTACT, [2, 4])!, 2000);
    expect(list.shown(3000).map(({ kind }: Told) => kind)).toEqual(["contact", "fault"]);
    list.take(told(EVENT_CONTACT, [2, 1])!, 9000);
    expect(list.shown(9000).map(({ text }) => text)).toEqual(["contact: electrodes on, settling"]);
  });
});
