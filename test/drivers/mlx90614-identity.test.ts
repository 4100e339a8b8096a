/** Who answers the MLX90614 driver: identity and flags, before it starts. */
import { describe, expect, test } from "vitest";
import { FAULT_CONFIGURATION, FAULT_DATA, FAULT_IDENTITY } from "../../drivers/driver.ts";
import type { I2cEmulator } from "../../drivers/emulator.ts";
import { emulated as max30205 } from "../../drivers/max30205/emulator.ts";
import { chip } from "../../drivers/mlx90614/chip.ts";
import { emulated } from "../../drivers/mlx90614/emulator.ts";
import { emulated as tmp117 } from "../../drivers/tmp117/emulator.ts";
import { createBench } from "../../simulator/bench.ts";
import { identity, NOTHING, opened, play, read, spoilt, type Turn, WAIT, word } from "./mlx90614-script.ts";
import { spoil } from "./subjects.ts";

describe("MLX90614 identity", () => {
  test.each([
    ["a TMP117", tmp117],
    ["a MAX30205", max30205],
  ])("%s in its place is refused, and not written to", (_, other) => {
    let written = 0;
    const counted = spoil(other, (emulator) => {
      const inner = emulator as I2cEmulator;
      const write = inner.write.bind(inner);
      const start = inner.start.bind(inner);
      let bytes = 0;
      inner.start = (reading) => {
        bytes = 0;
        return start(reading);
      };
      inner.write = (byte) => {
        if (bytes++ > 0) written++;
        return write(byte);
      };
      Object.defineProperty(inner, "address", { value: 0x5a });
    });
    const bench = createBench(chip, counted);
    bench.wait(1000);
    bench.run(bench.driver.open());
    expect(bench.frame.identity?.verdict).toBe("refused");
    expect(bench.frame.faults).toMatchObject([
      {
        code: FAULT_IDENTITY,
        message: expect.stringMatching(/^MLX90614: cell 0x24 reads .*PEC 0x.*is wrong; 3 repetitions/),
      },
    ]);
    expect(written).toBe(0);
  });

  test("one wrong PEC is read again with all the others, three times at most", () => {
    const good = identity();
    const bad = (cell: number): Turn => ({
      ...good,
      replies: good.replies!.map((reply, i) => (i === cell ? [reply[0], reply[1], reply[2] ^ 0x80] : reply)),
    });
    opened({}, [NOTHING, bad(0), bad(7), bad(3), good, WAIT]);
    const driver = chip.create({}, {});
    const frame = play(driver.open(), driver.createFrame(), [NOTHING, bad(0), bad(0), bad(0), bad(7)]);
    expect(frame.identity).toEqual({
      verdict: "refused",
      read: expect.stringMatching(/^cell 0x3f reads 0xf0 0xde, PEC 0x/),
    });
    // The next opening counts anew.
    play(driver.open(), frame, [NOTHING, bad(0), bad(0), bad(0), good, WAIT]);
    expect(frame.identity?.verdict).toBe("plausible");
  });

  test.each([0xbe5b, 0x5a00, 0])(
    "another address in cell 0x0e (%i) is refused, with the whole of what was read",
    (cell) => {
      const driver = chip.create({}, {});
      const frame = play(driver.open(), driver.createFrame(), [NOTHING, identity({ 46: cell })]);
      expect(frame.identity).toEqual({
        verdict: "refused",
        read: expect.stringContaining("ID 0x1234 0x5678 0x9abc 0xdef0"),
      });
      expect(frame.faults).toMatchObject([
        {
          code: FAULT_IDENTITY,
          message: expect.stringContaining(`SMBus address 0x${cell.toString(16)}; 0x5a was expected`),
        },
      ]);
      play(driver.poll(), frame, [NOTHING]);
      expect(frame.faults).toMatchObject([{ code: FAULT_CONFIGURATION }]);
    },
  );

  test("a bus that fails in the first look leaves the identity unknown", () => {
    const driver = chip.create({}, {});
    const frame = play(driver.open(), driver.createFrame(), [NOTHING, { ops: identity().ops, error: "nack" }]);
    expect(frame.identity).toBeNull();
    play(driver.poll(), frame, [NOTHING]);
    expect(frame.faults).toHaveLength(1);
  });
});

describe("MLX90614 flags (p. 20)", () => {
  const flags = (value: number): Turn => ({ ops: [read(0xf0)], pause: 100, replies: [word(0xf0, value)] });
  const garbled: Turn = { ...flags(0x10), replies: [spoilt(0xf0, 0x10)] };
  const start = (script: Turn[]) => {
    const driver = chip.create({ flags: true }, {});
    return play(driver.open(), driver.createFrame(), [NOTHING, identity(), ...script]);
  };

  test("INIT is waited for, and EEBUSY", () => {
    expect(start([flags(0x10), WAIT]).faults).toEqual([]);
    expect(start([flags(0), flags(0x80), flags(0x90), flags(0x10), WAIT]).faults).toEqual([]);
    expect(start([garbled, garbled, garbled, flags(0x10), WAIT]).faults).toEqual([]);
  });

  test.each([0, 0x90])("flags %i for 0.4 s are a fault", (value) => {
    const { faults } = start([flags(value), flags(value), flags(value), flags(value)]);
    expect(faults).toMatchObject([
      {
        code: FAULT_DATA,
        message: expect.stringContaining(`flags 0x${value.toString(16)}: not initialised after 400 ms`),
      },
    ]);
  });

  test("flags that cannot be read: choose not to", () => {
    const { faults } = start([garbled, garbled, garbled, garbled]);
    expect(faults).toEqual([
      { code: FAULT_DATA, message: "MLX90614: the PEC of its flags is wrong; choose flags false" },
    ]);
  });

  test("EE_DEAD is a fault at once", () => {
    expect(start([flags(0x30)]).faults).toMatchObject([
      { code: FAULT_CONFIGURATION, message: expect.stringContaining("flags 0x30: its EEPROM is damaged (EE_DEAD)") },
    ]);
    const bench = createBench(chip, emulated, { configuration: { flags: true } });
    bench.emulator.set("damage", 1);
    expect(bench.run(bench.driver.open()).faults).toMatchObject([{ code: FAULT_CONFIGURATION }]);
  });

  test("a bus that fails at them ends the chain", () => {
    expect(start([{ ops: [read(0xf0)], pause: 100, error: "nack" }]).faults).toEqual([]);
  });
});
