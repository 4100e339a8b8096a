/** Complaints of a bus and of what hangs on it: lines 10, 11. */
import type { Complaint } from "./complaint.ts";

const test = { file: "test/field/thermometers.test.ts" };

export const bus: readonly Complaint[] = [
  {
    line: 10,
    title: "I2C lock-up",
    seen: "every chip on a bus shows 0, -1 or its last value until the power is cut",
    where: ["espressif/arduino-esp32#349", "#834", "oxullo#44"],
    symptoms: ["It stops, or samples are missing", "A wrong temperature"],
    see: "After minutes or days every chip on the bus shows 0, -1 or its last value until the power is cut; a reset does not help.",
    why:
      "A chip was cut off in the middle of a byte (a reset of the host, a spike on the clock line) and waits for the clocks of its " +
      "rest, with the data line held low. The host's I2C hardware sees a busy bus and never gives them.",
    act:
      "With this project nothing, as a rule: a bus that does not move is given nine clocks and a stop, and the chip is opened anew. " +
      "If the board says that a chip holds SDA, cut that chip's power. If it comes again: pull-ups of 2 to 5 kOhm, shorter wires, " +
      "100 kHz.",
    says: ["SENSOR GIVEN UP: TMP117 after 30 s; a chip holds SDA, cut its power", "sensor fault T"],
    naive: "-0.01 °C every second, for ever, from a body of 36.5 °C.",
    ours:
      "readings of every chip on that bus again within 5 s; where no clock helps, null with `sensor fault`, and one sentence after 30 s " +
      "that says what to do, while it tries on.",
    test,
  },
  {
    line: 11,
    title: "MLX90614 bad reads",
    seen: "single temperatures of -45 or 118 °C among right ones",
    where: ["esphome/esphome#6689"],
    symptoms: ["A wrong temperature"],
    see: "Single temperatures of -45 or 118 °C among right ones, or steps of exactly 5.12, 10.24, 81.92 °C.",
    why:
      "Bits are turned over on the way, by long wires or weak pull-ups. The chip sends a check byte (PEC) behind every reading, and " +
      "most drivers do not read it.",
    act:
      "Shorten the wires, stronger pull-ups, 50 to 100 kHz. Where `sensor fault` stands beside a reading that is there, it is right, but was " +
      "asked for more than once: the wiring is near its limit.",
    says: ["fault (data): MLX90614: the PEC of object (0x7) is wrong", "sensor fault Tchip"],
    naive: "-45.4 °C of a forehead at 36.5 °C, published as a temperature, whenever a bit was turned over.",
    ours:
      "every reading is checked, a bad one asked for again up to three times and flagged; with a line of which nothing good comes, no " +
      "reading at all, and a fault.",
    test,
  },
];
