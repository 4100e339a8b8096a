import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Attributes, ChannelDefinition } from "../../protocol/messages.ts";
import * as vsp from "../../protocol/messages.ts";
import { claimOf, isSkin, TEMPERATURES, vitalChannel } from "../../protocol/vital.ts";

const channel = (id: number, mdc: number, attributes: Attributes): ChannelDefinition => ({
  id,
  mdc,
  rateMilliHz: 0,
  bits: 16,
  offset: 0,
  mul: 1,
  exp10: -1,
  ucum: "%",
  attributes,
});

describe("what a person is shown of a value", () => {
  test("is never beyond what the channel claims, and says so by its sign", () => {
    const limit = fc.option(fc.integer({ min: -1000, max: 1000 }), { nil: undefined });
    fc.assert(
      fc.property(limit, limit, fc.integer({ min: -2000, max: 2000 }), (minimum, maximum, raw) => {
        fc.pre(minimum === undefined || maximum === undefined || minimum <= maximum);
        const attributes = { ...(minimum !== undefined && { minimum }), ...(maximum !== undefined && { maximum }) };
        const claim = claimOf(channel(1, 1, attributes), raw);
        expect(claim.raw).toBeGreaterThanOrEqual(minimum ?? Number.NEGATIVE_INFINITY);
        expect(claim.raw).toBeLessThanOrEqual(maximum ?? Number.POSITIVE_INFINITY);
        expect(claim.sign).toBe(raw < claim.raw ? "<" : raw > claim.raw ? ">" : "");
      }),
    );
  });

  test("the limits themselves are shown as they are", () => {
    const spo2 = channel(1, 1, { minimum: 700, maximum: 1000 });
    expect([699, 700, 1000, 1001].map((raw) => claimOf(spo2, raw))).toEqual([
      { sign: "<", raw: 700 },
      { sign: "", raw: 700 },
      { sign: "", raw: 1000 },
      { sign: ">", raw: 1000 },
    ]);
  });
});

describe("a vital's channel", () => {
  const own = channel(0, 10, { processing: 0 });
  const derived = channel(1, 10, { processing: 2 });
  const skin = channel(2, 11, { processing: 2 });
  const predicted = channel(3, 10, { processing: 2, role: "predicted" });

  test("is the derived one, whatever its place in the birth", () => {
    expect(vitalChannel([own, derived], [10])).toBe(derived);
    expect(vitalChannel([derived, own], [10])).toBe(derived);
    expect(vitalChannel([own], [10])).toBe(own);
  });

  test("is of the first code there is; what is derived of a later one stands before a chip's own of the first", () => {
    expect(vitalChannel([skin, derived], [10, 11])).toBe(derived);
    expect(vitalChannel([skin, derived], [11, 10])).toBe(skin);
    expect(vitalChannel([own, skin], [10, 11])).toBe(skin);
    expect(vitalChannel([own, skin], [12])).toBe(null);
  });

  test("is never a prediction", () => {
    expect(vitalChannel([predicted], [10])).toBe(null);
    expect(vitalChannel([predicted, own], [10])).toBe(own);
  });
});

test("a temperature is the body's before the skin's, and every code of one is known as either", () => {
  const codes = Object.entries(vsp).filter(([name]) => name.startsWith("MDC_TEMP"));
  expect([...TEMPERATURES].sort()).toEqual(codes.map(([, code]) => code).sort());
  const skin = channel(1, vsp.MDC_TEMP_SKIN, { processing: 2 });
  const body = channel(2, vsp.MDC_TEMP_AXILLA, { processing: 2 });
  const own = channel(3, vsp.MDC_TEMPERATURE, { processing: 0 });
  expect(vitalChannel([skin, own, body], TEMPERATURES)).toBe(body);
  expect(vitalChannel([own, skin], TEMPERATURES)).toBe(skin);
  expect([skin, body, own].map(({ mdc }) => isSkin(mdc))).toEqual([true, false, false]);
});
