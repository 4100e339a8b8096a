/** The control socket: for its owner alone, one answer a line, bounded in every way. */
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { askGateway, type Control, type ControlHandler, controlPath, startControl } from "../../gateway/control.ts";
import { ownFolder } from "../support/folder.ts";

const folder = ownFolder();
const store = () => join(folder(), "s.db");
let open: Control[] = [];
afterEach(async () => {
  for (const control of open) await control.close();
  open = [];
});
const start = async (handlers: Record<string, ControlHandler> = {}) => {
  const control = await startControl(controlPath(store()), handlers);
  open.push(control);
  return control;
};
/** Sends bytes as they are, and gives what comes back until the other side ends. */
const talk = (text: string, lines: number) =>
  new Promise<string[]>((resolve) => {
    const socket = createConnection(controlPath(store()));
    let answer = "";
    const done = () => {
      socket.destroy();
      resolve(answer.split("\n").slice(0, -1));
    };
    socket.on("connect", () => socket.write(text));
    socket.on("data", (data) => {
      answer += data;
      if (answer.split("\n").length > lines) done();
    });
    socket.on("close", done);
    socket.on("error", done);
  });

test("it answers by its table, and is readable by its owner alone", async () => {
  await start({ double: ({ value }) => (value as number) * 2, nothing: () => undefined });
  expect(statSync(controlPath(store())).mode & 0o777).toBe(0o600);
  expect(await askGateway(store(), { command: "double", value: 21 }, 5000)).toEqual({ result: 42 });
  expect(await askGateway(store(), { command: "nothing" }, 5000)).toEqual({ result: null });
});

test("what a request does not know, or throws, is told as an error", async () => {
  await start({
    fail() {
      throw Object.assign(new Error("not today"), { fault: "busy" });
    },
  });
  expect(await askGateway(store(), { command: "fail" }, 5000)).toEqual({ error: "not today", fault: "busy" });
  expect(await askGateway(store(), { command: "toString" }, 5000)).toMatchObject({
    error: 'no request "toString"; this gateway knows fail',
  });
  expect(await talk('nonsense\n[1]\nnull\n{"command":1}\n', 4)).toEqual([
    ...Array(3).fill('{"error":"the request is no JSON object"}'),
    '{"error":"no request \\"1\\"; this gateway knows fail"}',
  ]);
});

test("requests of one connection are answered one after the other; too many at once end it", async () => {
  const order: number[] = [];
  await start({
    async wait({ n }) {
      await new Promise((resolve) => setImmediate(resolve));
      order.push(n as number);
      return n;
    },
  });
  const ask = (n: number) => `{"command":"wait","n":${n}}\n`;
  expect(await talk(ask(1) + ask(2) + ask(3), 3)).toEqual(['{"result":1}', '{"result":2}', '{"result":3}']);
  expect(order).toEqual([1, 2, 3]);
  expect((await talk(ask(4).repeat(1000), 1000)).length).toBeLessThan(1000);
});

test("a line without an end ends the connection, and nothing else", async () => {
  await start({ ping: () => "pong" });
  expect(await talk("x".repeat(1 << 20), 1)).toEqual([]);
  expect(await askGateway(store(), { command: "ping" }, 5000)).toEqual({ result: "pong" });
});

test("a socket that a killed gateway left makes way; at the end it is removed", async () => {
  // Bound and never closed: what stays in the folder when a process is killed.
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen(controlPath(store()), resolve));
  const control = await start({ ping: () => "pong" });
  expect(await askGateway(store(), { command: "ping" }, 5000)).toEqual({ result: "pong" });
  await control.close();
  open = [];
  expect(existsSync(controlPath(store()))).toBe(false);
  dead.close();
});

test("something else in its place is left alone", async () => {
  writeFileSync(controlPath(store()), "somebody's");
  await expect(start()).rejects.toThrow(/something else is there; move it away/);
});

test("a folder that others may write is refused", async () => {
  const shared = join(folder(), "shared");
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  await expect(startControl(join(shared, "s.db.sock"), {})).rejects.toThrow(/others may write its folder \(mode 777\)/);
});

test("a path that no socket can have is refused, with the reason", async () => {
  const deep = join(folder(), "a".repeat(120));
  mkdirSync(deep);
  await expect(startControl(join(deep, "s.db.sock"), {})).rejects.toThrow(/longer than 103 bytes/);
});

test("without a gateway, or with one that says nothing, the question fails and says what to do", async () => {
  await expect(askGateway(store(), { command: "ping" }, 5000)).rejects.toThrow(
    `no gateway works on ${store()}: start "vitalwire gateway --store ${store()}"`,
  );
  await start({ never: () => new Promise(() => {}) });
  await expect(askGateway(store(), { command: "never" }, 30)).rejects.toThrow(/did not answer in 0.03 s/);
});
