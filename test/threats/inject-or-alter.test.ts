/** PROTOCOL.md section 10, "inject or alter on serial or WiFi": every byte of every example, of all modes, flipped. */
import { expect, test } from "vitest";
import { createCounters, type Origin } from "../../gateway/origin.ts";
import { encodeCard } from "../../protocol/card.ts";
import { nodeAead, nodeCrypto } from "../../protocol/crypto.node.ts";
import { encrypt0 } from "../../protocol/encrypt0.ts";
import { decodeLine } from "../../protocol/frame.ts";
import { fromHex, kidText } from "../../protocol/keys.ts";
import { mac0 } from "../../protocol/mac0.ts";
import { everyFlip, example, kid, modes } from "../protocol/modes.ts";
import { vectors } from "../protocol/support.ts";
import { createTestGateway, site } from "../support/gateway.ts";

interface Example {
  readonly name: string;
  readonly hex?: string;
  readonly line?: string;
}
const examples: Example[] = vectors("examples").examples;
const publicKey = fromHex(vectors("examples").keys.device);
const birth = fromHex(example("Birth S").hex);

/** The gateway of section 9: the device's card and pre-shared key are enrolled. */
function createGateway(encrypts: boolean) {
  const bench = createTestGateway(undefined, { rate: { perSecond: 1e6, burst: 1e6 } } as object);
  const { devices } = bench.gateway;
  devices.enroll(
    encodeCard({ issuer: "TEST-ONLY", role: "device", kid, publicKey, issuedAt: 0, expires: 4e9 }, site),
    site.publicKey,
    true,
  );
  devices.givePsk(kid, fromHex(modes.secret.psk), encrypts);
  const origin: Origin = { name: "test", counters: createCounters(), reply() {} };
  return { bench, origin, receive: (bytes: Uint8Array) => bench.gateway.receive(bytes, origin) };
}

type Gate = ReturnType<typeof createGateway>;

/** Every message of the worked examples and of the vectors of modes M and E; `up`: a device sends it. */
const messages = [...examples, ...modes.mac0, ...modes.encrypt0].flatMap(({ name, hex }) =>
  hex === undefined || name === "Device card"
    ? []
    : [{ name, bytes: fromHex(hex), up: !/^(Command|Ack|Time)/.test(name) }],
);

test("all modes and kinds are among the examples", () => {
  expect(kidText(kid)).toBe(vectors("examples").keys.kid);
  expect(messages.filter(({ up }) => up).length).toBeGreaterThanOrEqual(12);
  expect(new Set(messages.map(({ bytes }) => bytes[0]))).toEqual(new Set([0xd0, 0xd1, 0xd2]));
});

test.each(messages)(
  "$name: every byte, flipped in four ways, is refused; unflipped it is authentic if a device sends it",
  (one) => {
    const { name, bytes, up } = one;
    const { bench, origin, receive } = createGateway(bytes[0] === 0xd0);
    if (!name.startsWith("Birth")) expect(receive(birth).status).toBe("accepted");
    bench.settle();
    const before = bench.stored.length;
    everyFlip(bytes, (flipped, what) => expect(receive(flipped).status, what).toBe("refused"));
    bench.settle();
    expect(bench.stored).toHaveLength(before);
    expect(origin.counters.authentic).toBe(before);
    // Data of section 9 have channels that the birth there does not define: authentic all the same.
    const verdict = receive(bytes);
    expect(origin.counters.authentic - before).toBe(up ? 1 : 0);
    if (!name.includes("Data") && name !== "E") expect(verdict.status).toBe(up ? "accepted" : "refused");
  },
);

test("every character of a serial line, changed, is refused before it is a message or by what it then is", () => {
  const { receive } = createGateway(false);
  receive(birth);
  const line = examples.find((one) => one.line !== undefined)!.line!;
  for (let at = 1; at < line.trimEnd().length; at++) {
    const changed = `${line.slice(0, at)}${line[at] === "A" ? "B" : "A"}${line.slice(at + 1)}`;
    let message: Uint8Array | null = null;
    try {
      message = decodeLine(changed);
    } catch {
      continue;
    }
    if (message !== null) expect(receive(message).status, `character ${at}`).toBe("refused");
  }
});

test("what anybody else sealed under the device's name is refused, in every mode", () => {
  const [macs, encrypts] = [false, true].map(createGateway) as [Gate, Gate];
  for (const { bench, receive } of [macs, encrypts]) {
    receive(birth);
    bench.settle();
  }
  const data = fromHex(example("Data payload").payload);
  const other = new Uint8Array(32).fill(1);
  const keys = { key: other.subarray(0, 16), iv: other.subarray(0, 13) };
  expect(macs.receive(mac0(data, kid, other, nodeCrypto))).toMatchObject({ reason: "signature" });
  expect(encrypts.receive(encrypt0(data, kid, keys, nodeAead))).toMatchObject({ reason: "signature" });
  for (const { bench } of [macs, encrypts]) expect(bench.stored).toHaveLength(1);
});

test("what the device itself sealed, but not as it is enrolled to, is refused: nobody takes the cover off, or puts one on", () => {
  const encrypted = messages.find(({ bytes, up }) => bytes[0] === 0xd0 && up);
  const clear = messages.filter(({ name, bytes, up }) => up && /^(Data|Event)/.test(name) && bytes[0] !== 0xd0);
  expect(clear.length).toBeGreaterThan(2);
  const gate = createGateway(true);
  expect(gate.receive(birth).status).toBe("accepted");
  for (const { name, bytes } of clear) {
    expect(gate.receive(bytes), name).toMatchObject({ status: "refused", reason: "header" });
  }
  const open = createGateway(false);
  open.receive(birth);
  expect(open.receive(encrypted!.bytes)).toMatchObject({ status: "refused", reason: "header" });
  for (const { bench } of [gate, open]) {
    bench.settle();
    expect(bench.stored).toHaveLength(1);
  }
});
