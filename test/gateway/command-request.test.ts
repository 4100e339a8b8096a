/** What comes over the control socket as a command is checked before anything of it is used. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { commandHandler } from "../../gateway/command-request.ts";
import { CommandError, type Commander } from "../../gateway/commander.ts";
import { kidText } from "../../protocol/keys.ts";

type Sent = Parameters<Commander["send"]>;
/** Notes what it is given. */
function createRecorder() {
  const sent: Sent[] = [];
  const handle = commandHandler({
    async send(...given) {
      sent.push(given);
      return { boot: 1, n: 2, status: 0 };
    },
    close() {},
  });
  return { sent, handle };
}
const good = { device: "1563545644dd02b0", op: 5, arguments: [[1, 24]], valid: 30, wait: 10 };

test("numbers, texts and bytes reach the commander as the table's keys, seconds as milliseconds", async () => {
  const { sent, handle } = createRecorder();
  expect(
    await handle({
      ...good,
      arguments: [
        [1, 24],
        [2, "text"],
        [3, { hex: "d2FF" }],
      ],
    }),
  ).toMatchObject({ n: 2 });
  const [kid, op, parameters, options] = sent[0];
  expect(kidText(kid)).toBe(good.device);
  expect({ op, parameters, options }).toEqual({
    op: 5,
    parameters: [
      [1, 24],
      [2, "text"],
      [3, Uint8Array.of(0xd2, 0xff)],
    ],
    options: { validFor: 30_000, wait: 10_000 },
  });
});

test("each wrong field is named", async () => {
  const { sent, handle } = createRecorder();
  const faults: [object, RegExp][] = [
    [{ device: "1563" }, /device is no kid/],
    [{ device: 7 }, /device is no kid/],
    [{ op: "5" }, /op is no number/],
    [{ valid: null }, /valid is no number/],
    [{ wait: undefined }, /wait is no number/],
    [{ arguments: {} }, /arguments are no list/],
    [{ arguments: Array(33).fill([1, 1]) }, /list of up to 32/],
    [{ arguments: [1] }, /no \[key, value\] each/],
    [{ arguments: [[-1, 1]] }, /no \[key, value\] each/],
    [{ arguments: [[1, 1.5]] }, /argument 1 is no whole number/],
    [{ arguments: [[1, { hex: "abc" }]] }, /argument 1 is no whole number, text or \{"hex": …\}/],
    [
      {
        arguments: [
          [1, 1],
          [1, 2],
        ],
      },
      /name a key twice/,
    ],
  ];
  for (const [change, message] of faults) {
    const outcome = handle({ ...good, ...change });
    await expect(outcome, JSON.stringify(change)).rejects.toThrow(message);
    await expect(outcome).rejects.toBeInstanceOf(CommandError);
  }
  expect(sent).toEqual([]);
});

test("whatever JSON says, it is sent whole or refused as invalid", async () => {
  const { sent, handle } = createRecorder();
  const anything = fc.record(
    {
      device: fc.jsonValue(),
      op: fc.jsonValue(),
      arguments: fc.jsonValue(),
      valid: fc.jsonValue(),
      wait: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(anything, fc.boolean(), async (request, withDevice) => {
      const before = sent.length;
      const outcome = await handle({ ...request, ...(withDevice && { device: good.device }) }).catch((error) => error);
      if (sent.length === before) expect(outcome).toMatchObject({ fault: "invalid" });
    }),
  );
});
