/**
 * PROTOCOL.md section 10, "a broker that reads": what a demo's own broker carries of boards that encrypt decodes to E, births
 * and presences alone.
 */
import { Aedes } from "aedes";
import { afterEach, expect, test, vi } from "vitest";
import { createWard, type Ward } from "../../cli/ward.ts";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { decodeEncrypt0 } from "../../protocol/encrypt0.ts";
import { modeOf } from "../../protocol/header.ts";
import { toHex } from "../../protocol/keys.ts";
import { decodeMac0 } from "../../protocol/mac0.ts";
import { decodeMessage } from "../../protocol/messages.ts";
import type { SealMode } from "../../simulator/node.ts";

let ward: Ward | null = null;
afterEach(async () => {
  vi.restoreAllMocks();
  await ward?.stop();
  ward = null;
});

/** All that a broker was given of VSP/1 while two boards on it ran, by topic letter and by what can be read of it. */
async function capture(seal: SealMode) {
  const read: { letter: string; what: string; bytes: Uint8Array }[] = [];
  const create = Aedes.createBroker.bind(Aedes);
  vi.spyOn(Aedes, "createBroker").mockImplementation(async (options) => {
    const broker = await create(options);
    broker.on("publish", ({ topic, payload }) => {
      if (!topic.startsWith("vsp/")) return;
      const bytes = Uint8Array.from(payload as Buffer);
      const mode = modeOf(bytes);
      const plain = mode === "E" ? null : decodeMessage((mode === "M" ? decodeMac0 : decodeEnvelope)(bytes).payload);
      const what = plain === null ? "E" : plain.type;
      read.push({ letter: topic.split("/").at(-1)!, what, bytes });
    });
    return broker;
  });
  ward = await createWard({ boards: 3, seed: 1, noise: true, epoch: 0, seal });
  await ward.start();
  await ward.runLockStep(4e6, () => false);
  await ward.stopBoards();
  const produced = ward.boards
    .filter(({ transport }) => transport === "mqtt")
    .reduce((sum, { node }) => sum + node.runtime.produced, 0);
  return { read, produced, kinds: (letter: string) => kindsOf(read.filter((one) => one.letter === letter)) };
}

const kindsOf = (some: { what: string }[]) => [...new Set(some.map(({ what }) => what))].sort();

test.each<SealMode>([
  { mode: "sign", encrypt: true },
  { mode: "mac", encrypt: true },
])("%j: all of it is E, but births and presences", async (seal) => {
  const { read, produced, kinds } = await capture(seal);
  expect(kinds("d")).toEqual(["E"]);
  expect(kinds("b")).toEqual(["birth"]);
  expect(kinds("w")).toEqual(["presence"]);
  expect(kinds("c")).toEqual(["E"]);
  expect(kindsOf(read.filter(({ letter }) => !"dbwc".includes(letter)))).toEqual([]);
  // nothing of what was measured went another way
  expect(read.filter(({ letter }) => letter === "d" || letter === "b")).toHaveLength(produced);
  expect(ward!.boards.every((board) => board.counters().verified > 3)).toBe(true);
  // and no number, hence no nonce, comes twice in one direction of one boot
  for (const letter of ["d", "c"]) {
    const sealed = read.filter((one) => one.letter === letter && one.what === "E");
    const nonces = sealed.map(({ bytes }) => decodeEncrypt0(bytes)).map((one) => toHex(one.kid) + toHex(one.partialIv));
    expect(new Set(nonces).size).toBe(nonces.length);
  }
});

test("without encryption the same capture holds all that was measured", async () => {
  const { kinds } = await capture({ mode: "mac", encrypt: false });
  expect(kinds("d")).toEqual(expect.arrayContaining(["data", "manifest"]));
});
