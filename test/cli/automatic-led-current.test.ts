/** `--automatic-led-current`: a simulated ward whose boards set their LEDs themselves, from the registers to the store. */
import { expect, test } from "vitest";
import { patientSettings } from "../../cli/patient-options.ts";
import { createWard } from "../../cli/ward.ts";
import { channelName, readBoot } from "../../gateway/read.ts";
import { decode, get, isMap } from "../../protocol/cbor.ts";
import { EVENT_CONFIGURATION, FLAG_WORDS, OP_SET_LED_CURRENT, qualFlags } from "../../protocol/messages.ts";

const FULL = 2 ** 18;
const CHANGED = 1 << FLAG_WORDS.indexOf("LED current changed");

test.each([false, true])(
  "asked for: %s; a finger that is dark at the chip's own current is so, or in the upper half, and each change is flagged and told",
  async (automatic) => {
    const settings = await patientSettings({ alarms: "off", ...(automatic && { automaticLedCurrent: true }) });
    const ward = await createWard({ boards: 1, seed: 1, noise: true, epoch: 1_767_225_600_000, ...settings });
    await ward.start();
    await ward.runLockStep(25e6, () => false);
    await ward.stopBoards();
    const { node } = ward.boards[0];
    const boot = readBoot(ward.gateway.store, node.signer.kid, node.boot)!;
    await ward.stop();
    const changes = boot.events
      .filter(({ code }) => code === EVENT_CONFIGURATION)
      .map(({ tick, small }) => {
        const [, op, bytes] = small as [number, number, Uint8Array];
        const parameters = decode(bytes);
        expect(op).toBe(OP_SET_LED_CURRENT);
        if (!isMap(parameters)) throw new Error("no parameters");
        return { at: tick * 1000, current: get(parameters, 1) as number, channel: get(parameters, 2) as number };
      });
    expect(changes.length > 0).toBe(automatic);
    const levels: number[] = [];
    for (const name of ["red", "infrared"]) {
      const channel = [...boot.channels.values()].find((one) => channelName(one) === name)!;
      const last = channel.blocks.at(-1)!.samples;
      levels.push(last.reduce((sum, code) => sum + code, 0) / last.length / FULL);
      const flagged = channel.blocks.filter(({ qual }) => qualFlags(qual) & CHANGED);
      const told = changes.filter((one) => one.channel === channel.definition.id);
      expect(flagged.length > 0).toBe(automatic);
      for (const { at } of told) expect(flagged.some(({ time }) => Math.abs(time - at) < 1.1e6)).toBe(true);
    }
    expect(levels.every((level) => level > 0.5 && level < 0.875)).toBe(automatic);
  },
);
