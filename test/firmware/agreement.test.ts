/** Heart rate and pulse rate held against each other. */
import { describe, expect, test } from "vitest";
import { createAgreement } from "../../firmware/vitals/agreement.ts";

/** What is said at every second of a series of [heart rate, pulse rate]. */
const said = (series: readonly (readonly [number | null, number | null])[]) => {
  const agreement = createAgreement();
  return series.map(([heart, pulse], second) => agreement.update(heart, pulse, second * 1e6));
};
const lasting = (pair: readonly [number | null, number | null], seconds: number) => Array(seconds).fill(pair);

describe("heart rate and pulse rate", () => {
  test("that are equal, or within 5 a minute or a tenth, agree", () => {
    expect(said(lasting([60, 65], 60))).not.toContain(true);
    expect(said(lasting([150, 164], 60))).not.toContain(true);
  });

  test("that differ for 10 s are disputed from then on, and not before", () => {
    expect(said(lasting([80, 160], 30)).indexOf(true)).toBe(10);
    expect(said(lasting([80, 40], 30)).indexOf(true)).toBe(10);
  });

  test("that differ while one follows a change faster than the other are not disputed", () => {
    expect(said([...lasting([80, 80], 5), ...lasting([120, 80], 9), ...lasting([120, 120], 5)])).not.toContain(true);
  });

  test("that agree again for 3 s are no longer disputed; a second of agreement is not enough", () => {
    const series = [...lasting([80, 160], 15), [80, 80], ...lasting([80, 160], 5), ...lasting([80, 82], 10)] as const;
    const all = said(series as never);
    expect(all.slice(10, 24)).not.toContain(false);
    expect(all.lastIndexOf(true)).toBe(23);
  });

  test("of which one is missing are not compared; what was disputed is forgotten after 3 s", () => {
    expect(said(lasting([80, null], 60))).not.toContain(true);
    const all = said([...lasting([80, 160], 15), ...lasting([null, 160], 10)]);
    expect(all.lastIndexOf(true)).toBe(17);
  });
});
