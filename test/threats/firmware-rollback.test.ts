/** Threat: firmware rollback (PROTOCOL.md section 10): an older signed image is refused, also after a reboot. */
import { expect, test } from "vitest";
import { createAnnouncements } from "../../firmware/commands/firmware.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { encodeFirmware, type Firmware } from "../../protocol/firmware-object.ts";
import { OP_FIRMWARE_ANNOUNCE, STATUS_DONE, STATUS_FAILED, STATUS_REFUSED } from "../../protocol/messages.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { createCommanded } from "../firmware/commanded.ts";

const release = testOnlySigner("release");
const image = (version: number, board = "simulated"): Firmware => ({
  version,
  size: 100_000,
  digest: new Uint8Array(32).fill(version),
  board,
});

/** A board whose storage survives: each call is a boot. */
function createBoots() {
  const kept = new Map<string, Uint8Array>();
  const storage = {
    read: (name: string) => kept.get(name),
    write: (name: string, bytes: Uint8Array) => void kept.set(name, bytes),
  };
  let boot = 0;
  const installed: number[] = [];
  let works = true;
  return {
    kept,
    installed,
    fail: () => {
      works = false;
    },
    /** Switches a board on that runs version 3, and announces. */
    boot() {
      boot++;
      const board = createCommanded({
        boot: () => boot,
        handlers: {
          firmware: createAnnouncements({
            storage,
            crypto: nodeCrypto,
            releaseKey: release.publicKey,
            model: "simulated",
            version: 3,
            install: ({ version }, done) => {
              if (works) installed.push(version);
              done(works ? STATUS_DONE : STATUS_FAILED);
              works = true;
            },
          }),
        },
      });
      board.start(1);
      return (object: Uint8Array) => board.statusOf(board.command(OP_FIRMWARE_ANNOUNCE, [[1, object]]));
    },
  };
}

test("an older signed image, and the one that runs, are refused, also after a reboot; a newer one is taken", () => {
  const boots = createBoots();
  const first = boots.boot();
  const signed = (version: number, board?: string) => encodeFirmware(image(version, board), release);
  expect([2, 3].map((version) => first(signed(version)))).toEqual([STATUS_REFUSED, STATUS_REFUSED]);
  expect(first(signed(5))).toBe(STATUS_DONE);
  expect(first(signed(5))).toBe(STATUS_REFUSED);
  const second = boots.boot();
  expect([4, 5].map((version) => second(signed(version)))).toEqual([STATUS_REFUSED, STATUS_REFUSED]);
  expect(second(signed(6))).toBe(STATUS_DONE);
  expect(boots.installed).toEqual([5, 6]);
});

test("an image for another board, by another key, or with one bit changed, is refused", () => {
  const boots = createBoots();
  const announce = boots.boot();
  expect(announce(encodeFirmware(image(9, "esp32"), release))).toBe(STATUS_REFUSED);
  expect(announce(encodeFirmware(image(9), testOnlySigner("somebody")))).toBe(STATUS_REFUSED);
  const good = encodeFirmware(image(9), release);
  for (let at = 0; at < good.length; at += 3)
    expect(announce(good.map((byte, i) => (i === at ? byte ^ 4 : byte)))).toBe(STATUS_REFUSED);
  expect(boots.installed).toEqual([]);
  expect(announce(good)).toBe(STATUS_DONE);
});

test("an installation that failed does not use its version up", () => {
  const boots = createBoots();
  const announce = boots.boot();
  const object = encodeFirmware(image(4), release);
  boots.fail();
  expect(announce(object)).toBe(STATUS_FAILED);
  expect(announce(object)).toBe(STATUS_DONE);
});

test("a stored version that cannot be read is no way back: nothing is taken", () => {
  const boots = createBoots();
  boots.boot()(encodeFirmware(image(7), release));
  for (const damage of [Uint8Array.of(0xff), Uint8Array.of(0x61, 0x37), new Uint8Array(0)]) {
    boots.kept.set("firmware", damage);
    expect(boots.boot()(encodeFirmware(image(9), release))).toBe(STATUS_FAILED);
  }
  expect(boots.installed).toEqual([7]);
});
