/** Every chip's page says what somebody needs who has the chip in hand. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createBench } from "../../simulator/bench.ts";
import { drivers, names, subjects } from "./subjects.ts";

/** A chip's page, and those of its siblings that it sends the reader to. */
function read(folder: string): { page: string; all: string } {
  const page = readFileSync(`${drivers}/${folder}/README.md`, "utf8");
  const siblings = new Set(Array.from(page.matchAll(/\]\(\.\.\/(\w+)\/README\.md\)/g), ([, name]) => name));
  const others = [...siblings].map((name) => readFileSync(`${drivers}/${name}/README.md`, "utf8"));
  return { page, all: [page, ...others].join("\n") };
}

/** Text of the section whose heading begins so, with those below it; "" where there is none. */
function section(page: string, heading: RegExp): string {
  const [, ...sections] = page.split(/^## /m);
  return sections.find((one) => heading.test(one)) ?? "";
}

describe.each(names)("the page of %s", (folder) => {
  const { page, all } = read(folder);
  const own = subjects.filter((one) => one.folder === folder);
  const benches = own.map(({ chip, emulated }) => createBench(chip, emulated));
  const [{ chip }] = own;

  it("has the model in its title and the data sheet with its revision or date", () => {
    expect(page.split("\n", 1)[0]).toMatch(new RegExp(`^# ${chip.model}\\b`));
    expect(page).toMatch(/data ?sheet/i);
    expect(page).toMatch(/\b(?:Rev\.? ?[A-Z0-9]|[Rr]evis(?:ion|ed))/);
    // By page or section; or it says where the figures are from instead.
    if (section(page, /^Sources/) === "") expect(page).toMatch(/\b(?:p\. ?\d|p\d|[Ss]ections? \d|[Tt]able \d)/);
  });

  it.each(["Wiring", "Configuration", "Channel", "Emulator", "What no source settles"])(
    "has a section %s that is not empty",
    (heading) => {
      expect(
        section(page, new RegExp(`^${heading}`))
          .split("\n")
          .slice(1)
          .join("")
          .trim(),
      ).not.toBe("");
    },
  );

  it("has a list of faults, or sends the reader to its sibling's", () => {
    expect(all).toMatch(/^(?:#+ Faults|\| fault )/m);
  });

  it("wires it to an ESP32, an Arduino Uno and a Raspberry Pi, every pin, and speaks of levels", () => {
    const wiring = section(page, /^Wiring/);
    for (const board of ["ESP32", "Uno", "Raspberry Pi"]) expect(wiring).toContain(board);
    for (const pin of [...(chip.pins ?? []), ...(chip.inputs ?? [])])
      expect(wiring.toLowerCase()).toContain(pin.toLowerCase());
    expect(wiring).toMatch(/\b(?:1\.8|3\.3|5) ?V\b/);
    const { addresses } = chip;
    // An address that its EEPROM holds: the factory's, and from where to where.
    const told = addresses.length > 40 ? [addresses[0], Math.min(...addresses), Math.max(...addresses)] : addresses;
    for (const address of told) expect(page.toLowerCase()).toContain(`0x${address.toString(16)}`);
  });

  it("names every setting and every channel, with its code", () => {
    const settings = new Set(own.flatMap((one) => Object.keys(one.chip.defaults as object)));
    const table = section(page, /^Configuration/);
    for (const setting of settings) expect(table).toContain(`\`${setting}\``);
    for (const { name, mdc } of benches.flatMap(({ driver }) => driver.channels())) {
      // Of two slots with the same light, the second one has a number.
      expect(all).toContain(`\`${name.replace(/\d$/, "")}`);
      expect(all).toContain(`${mdc}`);
    }
  });

  it("says what can be set on its emulator", () => {
    for (const input of Object.keys(benches[0].emulator.inputs)) expect(all).toContain(`\`${input}\``);
  });

  it("says what it draws, promises no standard, and is no medical device", () => {
    expect(all).toMatch(/\d ?[mu]A\b/);
    expect(page).not.toMatch(/\bcompl(?:y|ies|iant|iance)\b/i);
    expect(page).toMatch(/not? (?:a )?medical device/i);
  });

  const electrodes = benches.some(({ driver }) => driver.channels().some(({ unit }) => unit === "V"));
  if (!electrodes) return;
  it("warns of the mains: its electrodes are on a person", () => {
    expect(page).toMatch(/mains/i);
    expect(page).toMatch(/batter(?:y|ies)|isolat/i);
  });
});
