/** Commands and pings between the gateway and whole boards, in every mode, over a line and over a broker, in virtual time. */
import { afterEach, describe, expect, test } from "vitest";
import { createWard, type Ward } from "../../cli/ward.ts";
import { createCommander } from "../../gateway/commander.ts";
import { fromHex } from "../../protocol/keys.ts";
import {
  KEY_VALUE,
  OP_REBOOT,
  OP_SEND_BIRTH,
  OP_SET_LED_CURRENT,
  STATUS_BEYOND_LIMIT,
  STATUS_DONE,
  STATUS_NOT_POSSIBLE,
  TYPE_BIRTH,
} from "../../protocol/messages.ts";
import { MODES } from "../support/speaking.ts";

let ward: Ward | null = null;
afterEach(async () => {
  await ward?.stop();
  ward = null;
});

describe.each(MODES)("in mode $name", ({ mode, encrypt }) => {
  test("boards obey what they can, say what they cannot, and answer pings", async () => {
    const world = await createWard({
      boards: 2,
      seed: 3,
      noise: false,
      epoch: 1_800_000_000_000,
      seal: { mode, encrypt },
    });
    ward = world;
    const { gateway, clock, boards } = world;
    const commander = createCommander(gateway, { timer: () => () => {} });
    await world.start();
    await world.runLockStep(4e6, () => false);
    const ask = async (kid: Uint8Array, op: number, parameters: [number, number][] = []) => {
      let status: number | undefined;
      const asked = commander.send(kid, op, parameters, { validFor: 60_000, wait: 60_000 }).then((outcome) => {
        status = outcome.status;
      });
      // The board's own time is what it needs to obey; bounded by what the command is valid for.
      for (let i = 0; status === undefined && i < 50; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        await world.runLockStep(clock.now + 1e5, () => false);
      }
      if (status !== undefined) await asked;
      return status;
    };
    for (const board of boards) {
      const kid = fromHex(board.kid);
      const { boot } = board.node;
      expect(await ask(kid, OP_SEND_BIRTH)).toBe(STATUS_DONE);
      expect(gateway.store.ofKind(kid, boot, TYPE_BIRTH)).toHaveLength(2);
      expect(await ask(kid, OP_SET_LED_CURRENT, [[KEY_VALUE, 5]])).toBe(STATUS_DONE);
      expect(await ask(kid, OP_SET_LED_CURRENT, [[KEY_VALUE, 102]])).toBe(STATUS_BEYOND_LIMIT);
      expect(await ask(kid, OP_REBOOT)).toBe(STATUS_NOT_POSSIBLE);
      expect(gateway.store.pings(kid, boot).length).toBeGreaterThan(0);
      // In virtual time nothing is late: each answer's tick is the moment its ping left.
      const [{ sent, tick, received }] = gateway.store.pings(kid, boot);
      expect(received * 1000 - sent).toBeLessThan(1000);
      expect(Math.floor(sent / 1000) - 1_800_000_000_000).toBe(tick);
    }
    commander.close();
  });
});
