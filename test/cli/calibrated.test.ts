/** A device's own calibration, from its file to the record. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCalibrationFile } from "../../cli/calibration-file.ts";
import { createWard } from "../../cli/ward.ts";
import { FLAG_UNCALIBRATED } from "../../drivers/driver.ts";
import { PUBLISHED } from "../../firmware/dsp/calibration.ts";
import { readBoot, toPhysical } from "../../gateway/read.ts";
import { MDC_SPO2, qualFlags } from "../../protocol/messages.ts";
import { createPatient } from "../../simulator/index.ts";
import { ownFolder } from "../support/folder.ts";
import { vitalwire } from "../support/process.ts";

const folder = ownFolder();

async function saturation(file: string | null) {
  const ward = await createWard({
    boards: 1,
    seed: 5,
    noise: true,
    epoch: 1_767_225_600_000,
    ...(file && { calibration: readCalibrationFile(file).calibration }),
  });
  try {
    await ward.start();
    await ward.runLockStep(30e6, () => false);
    await ward.stopBoards();
    const { node } = ward.boards[0]!;
    const stored = readBoot(ward.gateway.store, node.signer.kid, node.boot)!;
    const channel = [...stored.channels.values()].find(({ definition }) => definition.mdc === MDC_SPO2)!;
    const shown = channel.values.filter(({ raw }) => raw !== null);
    expect(shown.length).toBeGreaterThan(10);
    return {
      attributes: channel.definition.attributes,
      flags: shown.reduce((union, { qual }) => union | qualFlags(qual), 0),
      last: toPhysical(channel.definition, shown.at(-1)!.raw!),
    };
  } finally {
    await ward.stop();
  }
}
const { truth } = createPatient({ seed: 5, index: 0 });

test("its identifier is in the birth, and its values carry no flag; a published curve's do", async () => {
  const file = join(folder(), "finger-07.yaml");
  // the simulated finger's own curve, which is the reference design's
  writeFileSync(file, "id: finger-07\ncurve: { square: -45.06, linear: 30.354, constant: 94.845 }\n");
  const own = await saturation(file);
  expect(own.attributes).toMatchObject({ calibration: "finger-07", minimum: 700, maximum: 1000, processing: 2 });
  expect(own.flags & FLAG_UNCALIBRATED).toBe(0);
  expect(Math.abs(own.last - truth.spo2)).toBeLessThan(1);
  const published = await saturation(null);
  expect(published.attributes.calibration).toBe(PUBLISHED[0]!.id);
  expect(published.flags & FLAG_UNCALIBRATED).not.toBe(0);
});

test("a table serves as well as a curve", async () => {
  const file = join(folder(), "table.yaml");
  writeFileSync(file, "id: table-1\ntable: [[0.3, 100], [0.45, 99.4], [0.6, 97], [0.9, 86], [1.4, 49]]\n");
  const { attributes, flags, last } = await saturation(file);
  expect([attributes.calibration, flags & FLAG_UNCALIBRATED]).toEqual(["table-1", 0]);
  expect(Math.abs(last - truth.spo2)).toBeLessThan(3);
});

test("demo refuses a calibration that would show a wrong number, with its file and what to do", async () => {
  const file = join(folder(), "bad.yaml");
  writeFileSync(file, "id: rising\ncurve: { square: 0, linear: 25, constant: 60 }\n");
  const running = vitalwire("demo", "--calibration", file, "--fast", "--headless", "--seconds", "2");
  expect(await running.ended()).toBe(2);
  expect(running.output()).toMatch(/bad\.yaml.*rise with R/);
});
