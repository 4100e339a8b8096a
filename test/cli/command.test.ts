/** `vitalwire command`: a board, its gateway and who commands are three processes. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { command, parametersFor } from "../../cli/command.ts";
import { operationsHelp } from "../../cli/operations.ts";
import { UsageError } from "../../cli/usage.ts";
import { operationNamed } from "../../protocol/messages.ts";
import { ownFolder } from "../support/folder.ts";
import { vitalwire } from "../support/process.ts";

const folder = ownFolder();
const store = () => join(folder(), "s.db");
const ended = async (...words: string[]) => {
  const one = vitalwire("command", "--store", store(), ...words);
  return { code: await one.ended(), output: one.output(), stdout: one.stdout() };
};

test("a command reaches the board and its answer comes back: as a document, as a sentence, as an exit code", async () => {
  // In the mode that asks most of both ends.
  const mode = ["--seal", "mac", "--encrypt"];
  const board = vitalwire("simulate", "--out", "pty", "--cards", folder(), "--seconds", "60", ...mode);
  const [port] = await board.printed(/\/dev\/pts\/\d+/);
  const gateway = vitalwire(
    ...["gateway", "--store", store(), "--cards", folder(), "--allow-test-keys", "--port", "0", "--serial", port],
  );
  const [, kid, boot] = await gateway.printed(/board ([0-9a-f]{16}): boot (\d+)/);
  expect(statSync(`${store()}.sock`).mode & 0o777).toBe(0o600);

  const done = await ended("--device", kid, "send-birth", "--json");
  expect(done.output).toBe(done.stdout);
  expect(JSON.parse(done.stdout)).toEqual({
    ...{ device: kid, boot: Number(boot), n: expect.any(Number), op: 7, status: 0, statusText: "done" },
  });
  expect(done.code).toBe(0);

  // By number; more than any LED of the board can take.
  const beyond = await ended("--device", kid.toUpperCase(), "5", "current=102");
  expect(beyond.code).toBe(1);
  expect(beyond.stdout).toMatch(/^[0-9a-f]{16}, boot \d+: set-led-current \(number \d+\): beyond a hard limit/);

  const stranger = await ended("--device", "0011223344556677", "send-birth");
  expect(stranger).toMatchObject({ code: 1, stdout: "" });
  expect(stranger.output).toMatch(/device 0011223344556677 is not enrolled here/);

  await gateway.printed(/set-led-current, asked for by command: beyond a hard limit/);
  gateway.process.kill("SIGTERM");
  expect(await gateway.ended(5000)).toBe(0);
  expect(existsSync(`${store()}.sock`)).toBe(false);
  const late = await ended("--device", kid, "send-birth");
  expect(late.code).toBe(1);
  expect(late.output).toContain(`no gateway works on ${store()}: start "vitalwire gateway --store ${store()}"`);
}, 60_000);

test("what cannot be asked is bad usage, with what there is", async () => {
  const ask = (op: string, device: string) => command(op, [], { store: store(), device, valid: 30, wait: 10 });
  await expect(ask("send-birth", "12")).rejects.toThrow("--device 12: a kid has 16 hex digits");
  const unknown = ask("self-destruct", "0011223344556677");
  await expect(unknown).rejects.toThrow('no operation "self-destruct"; "vitalwire command --help" lists them');
  await expect(unknown).rejects.toBeInstanceOf(UsageError);
});

test("the help lists every operation with its arguments and their units", () => {
  const help = operationsHelp();
  expect(help).toMatch(/ 5 {2}set-led-current {2}current=0\.\.102 mA {2}\[channel=0\.\.63\]\n/);
  expect(help).toMatch(/ 7 {2}send-birth\n/);
  expect(help).toMatch(/ 12 {2}set-alarm-limits {2}channel=0\.\.63 {2}\[low=RAW\]/);
});

test("arguments are read by the table: name=value, whole numbers, hexadecimal bytes, each once", () => {
  const led = operationNamed("set-led-current")!;
  expect(parametersFor(led, ["channel=2", "current=24"])).toEqual([
    [1, 24],
    [2, 2],
  ]);
  const announce = operationNamed("firmware-announce")!;
  expect(parametersFor(announce, ["object=D284"])).toEqual([[1, Uint8Array.of(0xd2, 0x84)]]);
  const faults: [string[], RegExp][] = [
    [[], /set-led-current: current is missing; it takes current=0\.\.102 mA \[channel=0\.\.63\]/],
    [["current=24", "colour=red"], /no argument "colour=red"; it takes/],
    [["24"], /no argument "24"/],
    [["current=2.5"], /current=2\.5: give a whole number of mA/],
    [["current=1", "current=2"], /current is given twice/],
    [["current=103"], /current is 103, must be 0 to 102 mA/],
  ];
  for (const [args, message] of faults) expect(() => parametersFor(led, args)).toThrow(message);
  expect(() => parametersFor(announce, ["object=xyz"])).toThrow(/give bytes as hexadecimal digits/);
  expect(() => parametersFor(operationNamed("reboot")!, ["now=1"])).toThrow(/it takes none/);
});
