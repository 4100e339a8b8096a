/** Whatever an enrolled gateway says, in whatever order: the board goes on, and each authentic command has one answer. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { KEY_CHANNEL, operationOf } from "../../protocol/messages.ts";
import { createCommanded, MODES } from "./commanded.ts";

const value = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 5, 12, 24, 25, 26, 50, 128, 200, 500, 900, 50_000, 128_000, 200_000, 256_000, 400_000),
  fc.maxSafeInteger(),
  fc.string({ maxLength: 8 }),
  fc.uint8Array({ maxLength: 20 }),
);
/** Parameters that the operation has, often of a good kind; or any. */
const parametersOf = (op: number) => {
  const keys = operationOf(op)?.parameters ?? [];
  const own = fc.tuple(
    ...keys.map(({ key, kind, lowest, highest }) =>
      fc
        .oneof(
          { weight: 4, arbitrary: fc.constant(null) },
          {
            weight: 12,
            arbitrary:
              kind === "int"
                ? fc.integer({ min: lowest, max: key === KEY_CHANNEL ? 8 : Math.min(highest, 300_000) })
                : value,
          },
          { weight: 1, arbitrary: value },
        )
        .map((one) => (one === null ? [] : [[key, one] as [number, number | string | Uint8Array]])),
    ),
  );
  const any = fc.uniqueArray(fc.tuple(fc.nat(12), value), { maxLength: 4, selector: ([key]) => key });
  return fc.oneof({ weight: 12, arbitrary: own.map((all) => all.flat()) }, { weight: 1, arbitrary: any });
};
const step = fc
  .oneof({ weight: 15, arbitrary: fc.integer({ min: 1, max: 15 }) }, fc.integer({ min: 16, max: 31 }))
  .chain((op) =>
    fc.record({
      op: fc.constant(op),
      parameters: parametersOf(op),
      expires: fc.option(fc.nat(20_000), { nil: undefined, freq: 6 }),
      authentic: fc.constantFrom(true, true, true, true, false),
      wait: fc.constantFrom(0, 0, 0, 0.003, 0.1, 0.7, 2),
    }),
  );

test("the board never throws, answers each authentic command once and no other, and its sequence has no hole", () => {
  const seen = new Set<number>();
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(MODES)),
      fc.array(step, { minLength: 1, maxLength: 24 }),
      (mode, steps) => {
        const board = createCommanded({
          seal: MODES[mode]!,
          alarms: { spo2: { low: 90 } },
          handlers: {
            reboot: () => {},
            rekey: (card, done) => {
              if (card === null) throw new Error("no card");
              done(0);
            },
          },
        });
        board.start(1);
        const asked: number[] = [];
        for (const { op, parameters, expires, authentic, wait } of steps) {
          const body = board.commandBody(op, parameters, expires);
          if (authentic) {
            board.say(body);
            asked.push(asked.length + 1);
          } else board.receive(board.sealed(body, { boot: 6, n: 99 }));
          board.run(wait);
        }
        board.run(1);
        board.node.runtime.stop(() => {});
        board.run(7);
        const answers = board.results();
        expect(answers.map(({ n }) => n).sort((a, b) => a - b)).toEqual(asked);
        expect(new Set(answers.map(({ gateway }) => gateway)).size).toBeLessThan(2);
        for (const { status } of answers) seen.add(status);
        const seqs = board.messages().map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.map((_, i) => i));
        expect(board.births().map(({ cfg }) => cfg)).toEqual(
          [...board.births()].map(({ cfg }) => cfg).sort((a, b) => a - b),
        );
        const cfgs = new Set(board.births().map(({ cfg }) => cfg));
        for (const { cfg } of board.data()) expect(cfgs.has(cfg)).toBe(true);
      },
    ),
    { numRuns: 15, seed: 22 },
  );
  expect([...seen]).toEqual(expect.arrayContaining([0, 1, 2, 3, 4, 6]));
});
