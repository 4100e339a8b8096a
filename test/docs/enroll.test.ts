/** docs/enroll.md, followed literally: from nothing to two boards that a gateway takes without test keys, then rotation and revocation. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../tools/files.ts";
import { ownFolder } from "../support/folder.ts";
import { type Running, run } from "../support/process.ts";

const page = readFileSync(join(projectRoot, "docs/enroll.md"), "utf8");
/** What is typed, in order; `terminal`: in one of its own, under this name. */
const blocks = [...page.matchAll(/^```sh(?: terminal (\w+))?\n(.*?)^```$/gms)].map(([, terminal, text]) => ({
  terminal,
  text: text!,
}));

const folder = ownFolder();

test("every command of the page does what the page says", { timeout: 120_000 }, async () => {
  const bin = join(folder(), "bin");
  const bench = join(folder(), "bench");
  for (const path of [bin, bench]) mkdirSync(path);
  const shim = `exec ${process.execPath} --import ${import.meta.resolve("tsx")} ${projectRoot}/cli/main.ts "$@"\n`;
  writeFileSync(join(bin, "vitalwire"), `#!/bin/sh\n${shim}`, { mode: 0o700 });
  const names: Record<string, string> = {};
  const terminals: Record<string, Running> = {};
  const type = (text: string) => {
    const set = Object.entries(names).map(([name, value]) => `${name}=${value}`);
    return run("env", [`PATH=${bin}:${process.env.PATH}`, ...set, "bash", "-ec", text], bench);
  };
  const enrolled: string[] = [];

  const end = async (terminal: string) => {
    terminals[terminal]?.process.kill("SIGINT");
    if (terminals[terminal] !== undefined) expect(await terminals[terminal].ended()).toBe(130);
    delete terminals[terminal];
  };

  for (const { terminal, text } of blocks) {
    for (const [, name] of text.matchAll(/\$(\w+)/g)) expect(names, `${name} in ${text}`).toHaveProperty(name!);
    if (terminal !== undefined) {
      if (terminals[terminal] !== undefined) for (const name of ["GATEWAY", terminal]) await end(name);
      const one = type(`exec ${text}`);
      terminals[terminal] = one;
      if (terminal !== "GATEWAY") names[terminal] = (await one.printed(/\/dev\/pts\/\d+/))[0];
      else if (enrolled.length === 2) {
        for (const kid of enrolled) await one.printed(new RegExp(`board ${kid}: boot 1 on serial`), 30_000);
        await one.printed(new RegExp(`board ${enrolled[1]}: its pre-shared key is here`));
        expect(one.output()).not.toMatch(/boards do not believe its acks/);
      } else await one.printed(new RegExp(`board ${enrolled[2]}: boot 2 on serial`), 30_000);
      continue;
    }
    const one = type(text);
    expect(await one.ended(30_000), `${text}${one.output()}`).toBe(0);
    if (text.includes("vitalwire revoke")) {
      await terminals.GATEWAY!.printed(new RegExp(`revocation list 1: ${names.STOLEN} is revoked`));
      await terminals.GATEWAY!.printed(new RegExp(`refused \\(revoked\\).*${names.STOLEN}`), 30_000);
    }
    const device = /^device ([0-9a-f]{16}): enrolled by ward 7/m.exec(one.stdout());
    if (device !== null) names[["OLD", "STOLEN", "NEW"][enrolled.push(device[1]!) - 1]!] = device[1]!;
  }
  const { OLD, STOLEN, NEW } = names;
  const list = type("vitalwire devices --store gw/ward.db --json");
  expect(await list.ended()).toBe(0);
  const rows = JSON.parse(list.stdout()).devices as { kid: string; messages: number }[];
  const good = { revoked: null, quarantined: null, role: "device", issuer: "ward 7", modes: ["sign"], boots: 1 };
  const row = (kid: string | undefined) => rows.find((one) => one.kid === kid);
  expect(rows).toHaveLength(4);
  expect(row(OLD)).toMatchObject({
    ...good,
    evidence: 3,
    revoked: { reason: "replaced" },
    rotated: { successor: NEW, boot: 1 },
  });
  expect(row(NEW)).toMatchObject({ ...good, evidence: 3, rotated: null });
  expect(row(STOLEN)).toMatchObject({ ...good, modes: ["sign", "mac"], revoked: { reason: "stolen" } });
  expect(rows.at(-1)).toMatchObject({ role: "gateway", messages: 0 });
  for (const kid of [OLD, NEW, STOLEN]) expect(row(kid)!.messages).toBeGreaterThan(0);

  // Private halves: on the bench and on the boards, for their owner alone; wrapped at the gateway; never said.
  const secrets = readdirSync(join(bench, "ward/keys")).filter((name) => name.endsWith(".key"));
  expect(secrets).toHaveLength(3);
  const said = Object.values(terminals).map((one) => one.output());
  for (const name of secrets) {
    const path = join(bench, "ward/keys", name);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const output of said) expect(output).not.toContain(readFileSync(path, "utf8").slice(0, 64));
  }
  for (const board of ["board-1", "board-2"])
    expect(statSync(join(bench, board, "board.identity")).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(bench, "gw/keys"))).toEqual([`${STOLEN}.psk`]);
  for (const name of Object.keys(terminals)) await end(name);
});
