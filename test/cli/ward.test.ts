/** The whole road, registers in, record out: boards, links, broker, gateway, store in one process, in lock step. */
import { afterEach, expect, test } from "vitest";
import { reportOf } from "../../cli/demo-report.ts";
import { createWard, type Ward, type WardOptions } from "../../cli/ward.ts";
import type { Driver } from "../../drivers/driver.ts";
import { rejected } from "../../gateway/origin.ts";
import { readBoot } from "../../gateway/read.ts";
import { crc32 } from "../../protocol/crc32.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { EVENT_FAULT, EVENT_OVERFLOW, type EventMessage } from "../../protocol/messages.ts";
import { createTestDevice } from "../support/gateway.ts";

let ward: Ward | null = null;
afterEach(async () => {
  await ward?.stop();
  ward = null;
});

const open = async (options: Partial<WardOptions> = {}) => {
  ward = await createWard({ boards: 1, seed: 1, noise: true, epoch: 1_767_225_600_000, ...options });
  await ward.start();
  return ward;
};
const run = (to: number) => ward!.runLockStep(to * 1e6, () => false);
const report = async () => {
  await ward!.stopBoards();
  return reportOf(ward!, { seed: 1 }, 0);
};
const events = (): EventMessage[] => {
  const { node } = ward!.boards[0];
  return readBoot(ward!.gateway.store, node.signer.kid, node.boot)!.events;
};

test("what each converter gave is what the store holds, over serial and over MQTT", async () => {
  await open({ boards: 3 });
  await run(20);
  const { boards } = await report();
  expect(boards.map(({ transport }) => transport)).toEqual(["serial", "mqtt", "mqtt"]);
  for (const { packets, channels } of boards) {
    expect(packets).toEqual({
      produced: packets.produced,
      received: packets.produced,
      verified: packets.produced,
      rejected: 0,
      duplicates: 0,
      gaps: 0,
    });
    expect(channels.map(({ name }) => name)).toEqual(["red", "infrared", "ecg"]);
    for (const channel of channels) {
      expect(channel.samples).toBeGreaterThanOrEqual(20 * channel.rate - 300);
      expect(channel.storedSha256).toBe(channel.sourceSha256);
    }
  }
  expect(new Set(boards.flatMap(({ channels }) => channels.map(({ storedSha256 }) => storedSha256))).size).toBe(9);
});

test("the same seed gives the same document, another seed another one", async () => {
  const once = async (seed: number) => {
    await open({ boards: 2, seed });
    await run(5);
    const document = JSON.stringify(await report());
    await ward!.stop();
    ward = null;
    return document;
  };
  const first = await once(1);
  expect(await once(1)).toBe(first);
  expect(await once(2)).not.toBe(first);
});

test("one sample altered between decode and seal makes the hashes differ, on that channel alone", async () => {
  let polls = 0;
  const alter = (driver: Driver): Driver => {
    if (driver.model !== "MAX30003") return driver;
    const poll = () => {
      const step = driver.poll();
      const wrap = (inner: typeof step): typeof step => ({
        ...inner,
        next: (outcome, frame) => {
          const following = inner.next?.(outcome, frame) ?? null;
          if (following !== null) return wrap(following);
          if (frame.channels[0].count > 0 && ++polls === 10) frame.channels[0].samples[3] ^= 1;
          return null;
        },
      });
      return wrap(step);
    };
    return { ...driver, poll } as Driver;
  };
  await open({ wrapDriver: alter });
  await run(4);
  const { channels, packets } = (await report()).boards[0];
  expect(packets.rejected).toBe(0);
  expect(channels.map(({ name, sourceSha256, storedSha256 }) => [name, sourceSha256 === storedSha256])).toEqual([
    ["red", true],
    ["infrared", true],
    ["ecg", false],
  ]);
});

test("a host that stalls until the FIFOs overflow: the hashes differ, and an event of the record names each loss", async () => {
  await open();
  await run(3);
  ward!.boards[0].node.board.stall(450);
  await run(8);
  const { channels, packets } = (await report()).boards[0];
  for (const { sourceSha256, storedSha256 } of channels) expect(storedSha256).not.toBe(sourceSha256);
  expect(packets).toMatchObject({ rejected: 0, gaps: 0 });
  const losses = new Map(
    events()
      .filter(({ code }) => code === EVENT_OVERFLOW)
      .map(({ small }) => [(small as number[])[0], small as (number | null)[]]),
  );
  // MAX30102 counts up to 31 lost samples: 450 ms at 100 sps, less what the FIFO holds.
  for (const id of [0, 1]) expect(losses.get(id)![2]).toBeGreaterThan(10);
  // MAX30003 does not count: a new segment begins.
  expect(losses.get(2)).toEqual([2, 0, null]);
  const stored = readBoot(ward!.gateway.store, ward!.boards[0].node.signer.kid, ward!.boards[0].node.boot)!;
  expect(new Set(stored.channels.get(2)!.blocks.map(({ seg }) => seg))).toEqual(new Set([0, 1]));
  // What was lost plus what was stored is what was converted.
  const [red] = ward!.boards[0].node.sources;
  expect(channels[0].samples + (losses.get(0)![2] as number)).toBe(red.samples);
});

test("a chip that stops answering is one fault event; when it answers again it is opened anew in a new segment", async () => {
  await open();
  await run(3);
  const { board } = ward!.boards[0].node;
  board.busFault = (target) => (target.model === "MAX30102" ? "nack" : null);
  await run(6);
  board.busFault = null;
  await run(9);
  const { channels } = (await report()).boards[0];
  const faults = events()
    .filter(({ code }) => code === EVENT_FAULT)
    .map(({ small }) => small as (number | string)[]);
  expect(faults.length).toBeGreaterThanOrEqual(1);
  expect(faults.length).toBeLessThan(6);
  expect(faults[0][2]).toContain("MAX30102");
  expect(
    events().filter(({ code, small }) => code === EVENT_OVERFLOW && (small as number[])[0] === 0)[0].small,
  ).toEqual([0, 0, null]);
  expect(channels[2].storedSha256).toBe(channels[2].sourceSha256);
  expect(channels[0].samples).toBeGreaterThan(450);
});

test("garbage, a flipped byte, a cut line, a replay, 8 MB without an end and a stranger on the line: each refused by its word, nothing else disturbed", async () => {
  await open();
  await run(3);
  const { counters } = ward!.boards[0];
  const { near: cable, far } = ward!.boards[0].cable!;
  let captured = "";
  far.on("data", (chunk: Buffer) => {
    if (captured.length < 10_000) captured += chunk.toString("latin1");
  });
  await run(4);
  const line = Buffer.from(captured.slice(0, captured.indexOf("\n") + 1), "latin1");
  const flipped = Buffer.from(line);
  flipped[20] = flipped[20] === 0x41 ? 0x42 : 0x41;
  const stranger = createTestDevice("stranger");
  cable.write("boot: hello, this is a log line\n");
  cable.write(flipped);
  cable.write(Buffer.concat([line.subarray(0, 101), Buffer.from("\n")]));
  cable.write("~!!!!\n");
  cable.write(line);
  cable.write(encodeLine(stranger.seal(stranger.birth())));
  cable.write(encodeLine(new Uint8Array(4090)));
  for (let i = 0; i < 128; i++) cable.write(Buffer.alloc(65_536, 0x7e));
  cable.write("\n");
  // The longest line there can be holds a message that is too long.
  const long = Buffer.alloc(4103);
  long.writeUInt32LE(crc32(long.subarray(0, 4099)) >>> 0, 4099);
  cable.write(`~${long.toString("base64").replaceAll("=", "")}\n`);
  const deadline = performance.now() + 10_000;
  while (counters().refused.size < 2 && performance.now() < deadline)
    await new Promise((resolve) => setImmediate(resolve));
  await run(6);
  const { packets, channels } = (await report()).boards[0];
  const { refused } = counters();
  expect(refused).toMatchObject({ crc: 2, base64: 1, kid: 1, size: 2, replay: 1, cbor: 1, signature: 0 });
  expect(rejected(counters())).toBe(7);
  expect(packets).toMatchObject({ verified: packets.produced, gaps: 0, duplicates: 1 });
  for (const { sourceSha256, storedSha256 } of channels) expect(storedSha256).toBe(sourceSha256);
});
