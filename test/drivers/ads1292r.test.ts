/** The ADS1292R driver: how it opens and is configured. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Ads1292rConfiguration, chip } from "../../drivers/ads1292r/chip.ts";
import { FAULT_CONFIGURATION, FAULT_IDENTITY, FLAG_TEST_SIGNAL } from "../../drivers/driver.ts";
import {
  asks,
  DEFAULT,
  data,
  look,
  opened,
  pin,
  play,
  poll,
  rdata,
  read,
  registers,
  send,
  sets,
  WIRED,
} from "./ads1292r-script.ts";

const create = (configuration: Partial<Ads1292rConfiguration> = {}) => chip.create(configuration, WIRED);
/** WREG values of a configuration, as `open` writes them. */
function encoded(configuration: Partial<Ads1292rConfiguration>): number[] {
  const driver = create(configuration);
  const frame = driver.createFrame();
  let step = driver.open();
  for (const turn of [asks(0x73), { ops: [] }]) {
    const replies = "replies" in turn ? turn.replies! : [];
    step = step.next!({ replies, error: null, began: 0, ended: 0, edges: 0, edgeAt: 0, inputs: 0 }, frame)!;
  }
  return (step.ops[1] as { transfer: number[] }).transfer.slice(2, -1);
}

describe("ADS1292R opening", () => {
  test("wakes it, stops RDATAC, asks who it is, resets, writes ten registers, reads them back, and START is last", () => {
    const { frame } = opened();
    expect(frame.identity).toEqual({ verdict: "confirmed", read: "ID 0x73" });
    expect(create()).toMatchObject({ spiMode: 1, maxHz: 900000, dataReady: "falling", pollEvery: 40 });
  });

  test("a byte at the fastest clock lasts 4 tCLK of the slowest oscillator, 2170 ns (Timing Requirements)", () => {
    expect(8e9 / create().maxHz).toBeGreaterThanOrEqual(4 * 2170);
  });

  test("holds START low and pulses PWDN/RESET where the board drives them", () => {
    const driver = chip.create({}, { interrupt: true, pins: ["reset", "start"] });
    const frame = driver.createFrame();
    play(driver.open(), frame, [
      { ops: [pin("start", 0), pin("reset", 0)], pause: 1 },
      { ops: [pin("reset", 1)], pause: 40 },
      asks(0x73),
      ...sets(DEFAULT),
    ]);
    expect(frame.faults).toEqual([]);
    const started = chip.create({}, { interrupt: true, pins: ["start"] });
    play(started.open(), frame, [{ ops: [pin("start", 0)] }, asks(0x73), ...sets(DEFAULT)]);
  });

  test("asks three times, 40 ms apart, where nothing answers: it needs 32 ms after its power came", () => {
    const driver = create();
    const frame = driver.createFrame();
    play(driver.open(), frame, [
      asks(0),
      { ops: [], pause: 40 },
      asks(0xff),
      { ops: [], pause: 40 },
      asks(0x73),
      ...sets(DEFAULT),
    ]);
    expect(frame.faults).toEqual([]);
    play(driver.open(), frame, [asks(0), { ops: [] }, asks(0), { ops: [] }, asks(0)]);
    expect(frame.identity).toEqual({ verdict: "refused", read: "ID 0x0" });
    expect(frame.faults).toEqual([
      {
        code: FAULT_IDENTITY,
        message: "ADS1292R: ID reads 0x0, 0x73 was expected; check power, select and data lines",
      },
    ]);
  });

  test.each([
    [0x53, "ID 0x53 (ADS1292)", 'it has no respiration: choose channel1 "ecg"'],
    [0x52, "ID 0x52 (ADS1291)", "check power, select and data lines"],
    [0x51, "ID 0x51 (ADS1192)", "check power, select and data lines"],
    [0x50, "ID 0x50 (ADS1191)", "check power, select and data lines"],
    [0x92, "ID 0x92", "check power, select and data lines"],
  ])("refuses ID 0x%x at once and by name, and writes nothing to it", (id, text, advice) => {
    const driver = create();
    const frame = driver.createFrame();
    play(driver.open(), frame, [asks(id)]);
    expect(frame.identity).toEqual({ verdict: "refused", read: text });
    expect(frame.faults).toEqual([
      { code: FAULT_IDENTITY, message: `ADS1292R: ${text.replace("ID", "ID reads")}, 0x73 was expected; ${advice}` },
    ]);
  });

  test("takes an ADS1292 where no respiration is asked for, with RESP1 02 and RESP_FREQ 1 as it wants them", () => {
    const driver = create({ channel1: "ecg" });
    const frame = driver.createFrame();
    const values = [0x00, 0xe0, 0x10, 0x00, 0x00, 0x2c, 0x0f, 0x00, 0x02, 0x07];
    play(driver.open(), frame, [asks(0x53), ...sets(values)]);
    expect(frame.identity).toEqual({ verdict: "plausible", read: "ID 0x53 (ADS1292)" });
  });

  test("names the register that does not keep its value, and leaves the chip in standby", () => {
    const driver = create();
    const frame = driver.createFrame();
    for (let i = 0; i < 10; i++) {
      const spoilt = DEFAULT.map((value, at) => (at === i ? value ^ 0x40 : value));
      play(driver.open(), frame, [
        asks(0x73),
        ...sets(DEFAULT).slice(0, 2),
        { ops: [read(1, 10)], replies: [registers(...spoilt)] },
        { ops: [send(0x02), send(0x11), send(0x06)], pause: 1 },
        { ops: [send(0x11), send(0x04)] },
      ]);
      const hex = (value: number) => `0x${value.toString(16)}`;
      expect(frame.faults).toEqual([
        {
          code: FAULT_CONFIGURATION,
          message: `ADS1292R: register ${hex(i + 1)} reads ${hex(spoilt[i])}, ${hex(DEFAULT[i])} was written; check the SPI wiring and slow the bus down`,
        },
      ]);
    }
  });

  test("lead-off bits in LOFF_STAT are no failure: only CLK_DIV is a setting (LOFF_STAT)", () => {
    const driver = create();
    const frame = driver.createFrame();
    const found = DEFAULT.map((value, i) => (i === 7 ? 0x1f : value));
    const script = sets(DEFAULT);
    play(driver.open(), frame, [
      asks(0x73),
      ...script.slice(0, 2),
      { ...script[2], replies: [registers(...found)] },
      script[3],
    ]);
    expect(frame.faults).toEqual([]);
  });

  test("conversions before START are a START pin that is high: it says so instead of running at the wrong time", () => {
    const driver = create();
    const frame = driver.createFrame();
    const script = sets(DEFAULT);
    play(driver.open(), frame, [
      asks(0x73),
      script[0],
      { ...script[1], at: 1000, edgeAt: 90000, edges: 60 },
      { ops: [send(0x02), send(0x11), send(0x06)] },
      { ops: [send(0x11), send(0x04)] },
    ]);
    expect(frame.faults).toEqual([
      {
        code: FAULT_CONFIGURATION,
        message: "ADS1292R: it converts before START; wire its START pin to ground, or name the pin that drives it",
      },
    ]);
    // One from before the reset, told late, is not.
    play(driver.open(), frame, [asks(0x73), script[0], { ...script[1], at: 1000, edgeAt: 1000 }, ...script.slice(2)]);
    expect(frame.faults).toEqual([]);
  });

  test.each([0, 1, 2, 3])("a bus that fails in step %d behind the identity ends in standby", (failing) => {
    const driver = create();
    const frame = driver.createFrame();
    const script = sets(DEFAULT).map((turn, i) => (i === failing ? { ...turn, replies: [], fails: true } : turn));
    play(driver.open(), frame, [
      asks(0x73),
      ...script.slice(0, failing + 1),
      { ops: [send(0x02), send(0x11), send(0x06)] },
      { ops: [send(0x11), send(0x04)] },
    ]);
    expect(driver.poll().ops).toEqual([rdata, look]);
  });
});

describe("ADS1292R configuration", () => {
  test.each([
    [{}, DEFAULT],
    [{ sampleRate: 500 }, [0x02]],
    [{ sampleRate: 2000 }, [0x04]],
    [{ sampleRate: 8000, continuous: true }, [0x06]],
    [{ reference: 4033 / 1000 }, [0x00, 0xf0]],
    [{ leadOff: 0 }, [0x00, 0xa0, 0x10, 0x00, 0x00, 0x2c, 0x00]],
    [{ leadOff: 22, leadOffThreshold: 92.5 }, [0x00, 0xe0, 0x34]],
    [{ leadOff: 6000, leadOffThreshold: 87.5 }, [0x00, 0xe0, 0x78]],
    [{ leadOff: 22000, leadOffThreshold: 70 }, [0x00, 0xe0, 0xfc]],
    [{ leadOffMode: "ac" }, [0x00, 0xa0, 0x11, 0x00, 0x00, 0x2c, 0x0c]],
    [{ gain1: 1, gain2: 12 }, [0x00, 0xe0, 0x10, 0x10, 0x60]],
    [{ gain1: 2, gain2: 3 }, [0x00, 0xe0, 0x10, 0x20, 0x30]],
    [{ gain1: 4, gain2: 8 }, [0x00, 0xe0, 0x10, 0x40, 0x50]],
    [{ channel1: "off" }, [0x00, 0xe0, 0x10, 0x81, 0x00, 0x2c, 0x0c, 0x00, 0x02, 0x07]],
    [
      { channel1: "ecg", channel2: "off", rightLegDrive: "channel1" },
      [0x00, 0xe0, 0x10, 0x00, 0x81, 0x23, 0x03, 0x00, 0x02, 0x07],
    ],
    [{ rightLegDrive: "off", chop: 2 }, [0x00, 0xe0, 0x10, 0x00, 0x00, 0x80]],
    [{ rightLegDrive: "both", chop: 4 }, [0x00, 0xe0, 0x10, 0x00, 0x00, 0xef]],
    [{ respirationPhase: 0 }, [...DEFAULT.slice(0, 8), 0xc2, 0x03]],
    [{ respirationPhase: 168.75 }, [...DEFAULT.slice(0, 8), 0xfe, 0x03]],
    [{ respirationPhase: 11.25 }, [...DEFAULT.slice(0, 8), 0xc6, 0x03]],
    [{ respirationFrequency: 64, respirationPhase: 157.5 }, [...DEFAULT.slice(0, 8), 0xde, 0x07]],
    [{ channel1: "ecg", input1: "test" }, [0x00, 0xe3, 0x10, 0x05, 0x00, 0x2c, 0x0c]],
    [{ channel1: "ecg", input1: "test", testSignal: 0 }, [0x00, 0xe2]],
    [
      { input2: "temperature", leadOff: 0, rightLegDrive: "channel1" },
      [0x00, 0xa0, 0x10, 0x00, 0x04, 0x23, 0x00, 0x00, 0xf2, 0x03],
    ],
    [{ channel1: "ecg", input1: "short" }, [0x00, 0xe0, 0x10, 0x01]],
    [{ channel1: "ecg", input1: "rightLegDrive" }, [0x00, 0xe0, 0x10, 0x02]],
    [{ channel1: "ecg", input1: "supply", gain1: 1 }, [0x00, 0xe0, 0x10, 0x13]],
    [{ channel1: "ecg", input1: "auxiliary" }, [0x00, 0xe0, 0x10, 0x09]],
  ] as [Partial<Ads1292rConfiguration>, number[]][])(
    "%o is written as it should be (table 16)",
    (configuration, values) => {
      expect(encoded(configuration).slice(0, values.length)).toEqual(values);
    },
  );

  test("no register is left that could be read as after a reset: CONFIG2 always has its reference on", () => {
    expect(encoded({ leadOff: 0 })[1] & 0x20).toBe(0x20);
  });

  test.each([
    [{ sampleRate: 100 }, "sampleRate is 100; choose one of 125, 250, 500, 1000, 2000, 4000, 8000"],
    [{ channel1: "ppg" }, "channel1 is ppg; choose one of respiration, ecg, off"],
    [{ channel2: "respiration" }, "channel2 is respiration; choose one of ecg, off"],
    [{ gain1: 5 }, "gain1 is 5; choose one of 6, 1, 2, 3, 4, 8, 12"],
    [{ gain2: 24 }, "gain2 is 24; choose one of 6, 1, 2, 3, 4, 8, 12"],
    [
      { input2: "" },
      "input2 is ; choose one of electrodes, short, rightLegDrive, supply, temperature, test, auxiliary",
    ],
    [{ reference: 3 }, "reference is 3; choose one of 2.42, 4.033"],
    [{ leadOff: 10 }, "leadOff is 10; choose one of 0, 6, 22, 6000, 22000"],
    [{ leadOffThreshold: 50 }, "leadOffThreshold is 50; choose one of 95, 92.5, 90, 87.5, 85, 80, 75, 70"],
    [{ leadOffMode: "pulse" }, "leadOffMode is pulse; choose one of dc, ac"],
    [{ rightLegDrive: "left" }, "rightLegDrive is left; choose one of off, channel1, channel2, both"],
    [{ chop: 8 }, "chop is 8; choose one of 16, 4, 2"],
    [{ testSignal: 2 }, "testSignal is 2; choose one of 0, 1"],
    [{ respirationFrequency: 48 }, "respirationFrequency is 48; choose one of 32, 64"],
    [
      { respirationPhase: 10 },
      "respirationPhase 10 and respirationFrequency 32 fight: choose a multiple of 11.25 up to 168.75 degrees",
    ],
    [
      { respirationPhase: 180 },
      "respirationPhase 180 and respirationFrequency 32 fight: choose a multiple of 11.25 up to 168.75 degrees",
    ],
    [
      { respirationPhase: -22.5 },
      "respirationPhase -22.5 and respirationFrequency 32 fight: choose a multiple of 11.25 up to 168.75 degrees",
    ],
    [
      { respirationFrequency: 64, respirationPhase: 33.75 },
      "respirationPhase 33.75 and respirationFrequency 64 fight: choose a multiple of 22.5 up to 157.5 degrees",
    ],
    [
      { respirationFrequency: 64, respirationPhase: 180 },
      "respirationPhase 180 and respirationFrequency 64 fight: choose a multiple of 22.5 up to 157.5 degrees",
    ],
    [{ channel1: "off", channel2: "off" }, "channel1 off and channel2 off fight: choose one to be read"],
    [
      { sampleRate: 4000 },
      "sampleRate 4000 and continuous false fight: there is no time for registers; choose continuous true",
    ],
    [{ input1: "short" }, "channel1 respiration and input1 short fight: choose input1 electrodes, or channel1 ecg"],
    [
      { channel2: "off", input2: "test", leadOff: 0, rightLegDrive: "off" },
      "channel2 off and input2 test fight: choose input2 electrodes, or channel2 ecg",
    ],
    [
      { channel1: "ecg", input1: "supply" },
      "input1 supply and gain1 6 fight: half of the supply is out of range; choose gain1 1",
    ],
    [
      { input2: "test" },
      "leadOff 6 and channel1 respiration fight: no channel is an ecg of electrodes; choose leadOff 0",
    ],
    [
      { channel1: "off", input2: "short" },
      "leadOff 6 and input2 short fight: no channel is an ecg of electrodes; choose leadOff 0",
    ],
    [
      { channel2: "off", leadOff: 0 },
      "rightLegDrive channel2 and channel2 off fight: there are no electrodes; choose another channel, or off",
    ],
    [
      { channel1: "ecg", input1: "short", rightLegDrive: "channel1" },
      "rightLegDrive channel1 and input1 short fight: there are no electrodes; choose another channel, or off",
    ],
    [{ leadOff: 0, leadOffMode: "ac" }, "leadOff 0 and leadOffMode ac fight: choose a current, or dc"],
    [
      { input2: "test", leadOff: 0 },
      "rightLegDrive channel2 and input2 test fight: there are no electrodes; choose another channel, or off",
    ],
    [
      { channel1: "off", rightLegDrive: "both" },
      "rightLegDrive both and channel1 off fight: there are no electrodes; choose another channel, or off",
    ],
    [
      { input2: "auxiliary", leadOff: 0, rightLegDrive: "off" },
      "channel1 respiration and input2 auxiliary fight: its carrier goes out there; choose input2 electrodes",
    ],
  ] as [Partial<Ads1292rConfiguration>, string][])("%o is refused, and why", (configuration, message) => {
    expect(() => create(configuration)).toThrow(new Error(`ADS1292R: ${message}`));
  });

  test("without DRDY, or on a board whose transfers are too short, there is no driver", () => {
    expect(chip.needsInterrupt).toBe(true);
    expect(() => chip.create({}, {})).toThrow(
      "ADS1292R: DRDY is not wired, and nothing else tells a new conversion from one that was read before; connect it and name its pin as interrupt",
    );
    expect(() => chip.create({}, { interrupt: true, maxRead: 12 })).toThrow(
      "ADS1292R: maxRead is 12, its registers take 13 bytes; use another board",
    );
    expect(chip.create({}, { interrupt: true, maxRead: 13 }).model).toBe("ADS1292R");
  });

  test("one step is reference / (gain x (2^23 - 1)) V, to 12 digits (Data Format)", () => {
    for (const reference of [2.42, 4.033]) {
      for (const gain of [1, 2, 3, 4, 6, 8, 12]) {
        const [first, second] = create({ reference, gain1: gain, gain2: gain }).channels();
        const exact = reference / (gain * 8388607);
        expect(Math.abs((first.mul * 10 ** first.exp10) / exact - 1)).toBeLessThan(1e-12);
        expect(second.mul).toBe(first.mul);
        expect(Number.isSafeInteger(first.mul)).toBe(true);
      }
    }
  });

  test("channels are named for what they are, and only those that are on are there", () => {
    const names = (configuration: Partial<Ads1292rConfiguration>) =>
      create(configuration)
        .channels()
        .map(({ name, mdc, processing }) => [name, mdc, processing]);
    expect(names({})).toEqual([
      ["respiration", 151780, 0],
      ["ecg", 131328, 0],
    ]);
    expect(names({ channel1: "ecg" })).toEqual([
      ["ecg1", 131328, 0],
      ["ecg", 131328, 0],
    ]);
    expect(names({ channel1: "off" })).toEqual([["ecg", 131328, 0]]);
    expect(names({ channel2: "off", leadOff: 0, rightLegDrive: "channel1" })).toEqual([["respiration", 151780, 0]]);
    expect(names({ channel1: "ecg", input1: "test" })).toEqual([
      ["ecg1", 131328, 3],
      ["ecg", 131328, 0],
    ]);
    expect(create({ sampleRate: 250 }).channels()[1]).toMatchObject({
      rate: 250,
      bits: 24,
      unit: "V",
      waveform: true,
      minimum: -8388608,
      maximum: 8388607,
      accuracy: "noise 8 uV peak to peak at 150 hz and gain 6 (SBAS502C p. 1)",
    });
  });

  test("a single channel takes its own three bytes, and a test signal is flagged as one", () => {
    const second = opened({ channel1: "off" }, [0x00, 0xe0, 0x10, 0x81, 0x00, 0x2c, 0x0c, 0x00, 0x02, 0x07]);
    play(second.driver.poll(), second.frame, [poll(data(0, 0x42), 40000, 39990)]);
    expect(second.frame.channels.map(({ samples, flags }) => [samples[0], flags])).toEqual([[0x42, 0]]);
    const values = [0x00, 0xa3, 0x10, 0x05, 0x81, 0x00, 0x00, 0x00, 0x02, 0x07];
    const test = { channel1: "ecg", input1: "test", channel2: "off", leadOff: 0, rightLegDrive: "off" };
    const { driver, frame } = opened(test, values);
    play(driver.poll(), frame, [
      { ops: [rdata, look], replies: [data(0x41, 0), registers(0x00, 0xa3)], at: 40000, edgeAt: 39990 },
    ]);
    expect(frame.channels.map(({ samples, flags }) => [samples[0], flags])).toEqual([[0x41, FLAG_TEST_SIGNAL]]);
  });

  test("the page names every setting with its default", () => {
    const page = readFileSync(new URL("../../drivers/ads1292r/README.md", import.meta.url), "utf8").replace(/ +/g, " ");
    for (const [name, value] of Object.entries(chip.defaults)) {
      expect(page).toContain(`| \`${name}\` | ${JSON.stringify(value)} |`);
    }
  });
});
