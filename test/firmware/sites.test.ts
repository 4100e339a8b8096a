import { expect, test } from "vitest";
import { temperatureOf, temperatureSites } from "../../firmware/sites.ts";
import { MDC_TEMPERATURE } from "../../protocol/messages.ts";
import { siteTemperatures } from "../../simulator/index.ts";

test.each([
  ["axilla", 188452],
  ["oral", 188424],
  ["rectum", 188420],
  ["tympanum", 150392],
  ["core", 150368],
])("%s has a body temperature, code %i", (site, mdc) => {
  expect(temperatureOf(site)).toEqual({ mdc, kind: "body" });
});

test.each([
  ["finger", 188432],
  ["toe", 188448],
  ["ear", 188428],
  ["chest", 150388],
  ["forehead", 150388],
  ["wrist", 150388],
])("%s has a skin temperature, code %i", (site, mdc) => {
  expect(temperatureOf(site)).toEqual({ mdc, kind: "skin" });
});

test.each([undefined, "", "bath", "Axilla", "toString", "constructor", "__proto__", "length"])(
  "the site %j is neither body nor skin",
  (site) => {
    expect(temperatureOf(site)).toEqual({ mdc: 150344, kind: "unknown" });
  },
);

test("what is not of the body never has a body's code, and every site of the simulator is known", () => {
  const bodies = temperatureSites().filter((site) => temperatureOf(site).kind === "body");
  const others = temperatureSites().filter((site) => temperatureOf(site).kind !== "body");
  const codes = bodies.map((site) => temperatureOf(site).mdc).concat(MDC_TEMPERATURE);
  for (const site of others) expect(codes).not.toContain(temperatureOf(site).mdc);
  for (const site of Object.keys(siteTemperatures)) expect(temperatureOf(site).kind).not.toBe("unknown");
});
