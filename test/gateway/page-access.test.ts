/** Who gets in: one-time address, session, Host, Origin; over real HTTP and WebSocket. */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect as connectTcp } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Access, createAccess } from "../../gateway/api/access.ts";
import { startPage } from "../../gateway/api/page.ts";
import { createPageBench, type PageBench } from "./page-support.ts";

let bench: PageBench;
beforeEach(async () => {
  bench = await createPageBench();
});
afterEach(() => bench.close());

const PATHS = ["/", "/main.js", "/style.css", "/feed", "/nothing", "/?token=", "/?token=AAAA"];
const refused = { status: 401, body: "Open the address that the terminal shows: it lets one browser in.\n" };

test("without a session every path is refused with one sentence, whatever it is", async () => {
  for (const path of PATHS) expect(await bench.ask(path), path).toMatchObject(refused);
  const wrong = bench.path(bench.page.address).replace(/.$/, (last) => (last === "A" ? "Q" : "A"));
  expect(await bench.ask(wrong)).toMatchObject(refused);
  for (const cookie of ["", `vitalwire-${bench.page.port}=`, `vitalwire-${bench.page.port}=AAAA`, "other=1"]) {
    expect(await bench.ask("/", { cookie }), cookie).toMatchObject(refused);
  }
  expect(bench.addresses).toHaveLength(1);
});

test("the address lets one browser in, by a cookie of that port alone, and is then used up", async () => {
  const used = bench.path(bench.page.address);
  const token = new URL(bench.page.address).searchParams.get("token")!;
  expect(Buffer.from(token, "base64url").length).toBeGreaterThanOrEqual(16);
  const answer = await bench.ask(used);
  expect(answer).toMatchObject({ status: 303, headers: { location: "/" }, body: "" });
  const [cookie] = answer.headers["set-cookie"]!;
  const [pair, ...attributes] = cookie.split("; ");
  expect(attributes.sort()).toEqual(["HttpOnly", "Path=/", "SameSite=Strict"]);
  const [name, value] = pair.split("=");
  expect(name).toBe(`vitalwire-${bench.page.port}`);
  expect(Buffer.from(value, "base64url")).toHaveLength(32);

  expect(await bench.ask("/", { cookie: pair })).toMatchObject({ status: 200 });
  expect(await bench.ask(used)).toMatchObject(refused);
  // The terminal shows another one by now.
  expect(bench.addresses).toHaveLength(2);
  expect(bench.addresses[1]).toBe(bench.page.address);
  expect(bench.path(bench.page.address)).not.toBe(used);
  expect((await bench.ask(bench.path(bench.page.address))).status).toBe(303);
  expect(await bench.ask("/", { cookie: pair })).toMatchObject({ status: 200 });
});

test("looking at the address without opening it (HEAD, POST, another path) does not use it up", async () => {
  const path = bench.path(bench.page.address);
  expect((await bench.ask(path, {}, "HEAD")).status).toBe(401);
  expect((await bench.ask(path, {}, "POST")).status).toBe(401);
  expect((await bench.ask(path.replace("/?", "/main.js?"))).status).toBe(401);
  expect((await bench.ask(path, { host: "evil.example" })).status).toBe(421);
  expect(bench.addresses).toHaveLength(1);
  expect((await bench.ask(path)).status).toBe(303);
});

test("a name that is not this host's is refused with a session too, and cannot use up the address (DNS rebinding)", async () => {
  const { port } = bench.page;
  const cookie = await bench.enter();
  for (const host of [
    "evil.example",
    `evil.example:${port}`,
    "127.0.0.1",
    "localhost:1",
    `127.0.0.1.evil.example:${port}`,
  ]) {
    expect((await bench.ask("/", { cookie, host })).status, host).toBe(421);
    expect((await bench.ask(bench.path(bench.page.address), { host })).status, host).toBe(421);
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LocalHost:${port}`, `[::1]:${port}`]) {
    expect((await bench.ask("/", { cookie, host })).status, host).toBe(200);
  }
  expect(bench.addresses).toHaveLength(2);
});

test("the socket opens for the page's own browser only: session, Host, Origin and path must all hold", async () => {
  const { origin } = bench;
  const cookie = await bench.enter();
  const open = (headers: Record<string, string>, path?: string) => bench.connect(headers, path).status;
  expect(await open({ origin })).toBe(401);
  expect(await open({ origin, cookie: `vitalwire-${bench.page.port}=${"A".repeat(43)}` })).toBe(401);
  expect(await open({ cookie })).toBe(403);
  expect(await open({ cookie, origin: "null" })).toBe(403);
  expect(await open({ cookie, origin: "http://evil.example" })).toBe(403);
  expect(await open({ cookie, origin: `http://127.0.0.1:${bench.page.port + 1}` })).toBe(403);
  expect(await open({ cookie, origin: origin.replace("127.0.0.1", "localhost") })).toBe(403);
  expect(await open({ cookie, origin: origin.replace("http:", "https:") })).toBe(403);
  const host = `evil.example:${bench.page.port}`;
  expect(await open({ cookie, host, origin: `http://${host}` })).toBe(421);
  expect(await open({ cookie, origin }, "/")).toBe(404);
  expect(await open({ cookie, origin })).toBe(101);
  expect(
    await open({ cookie, origin: `http://localhost:${bench.page.port}`, host: `localhost:${bench.page.port}` }),
  ).toBe(101);
});

test("the seventeenth session ends the oldest", async () => {
  const first = await bench.enter();
  const second = await bench.enter();
  for (let i = 0; i < 15; i++) await bench.enter();
  expect((await bench.ask("/", { cookie: first })).status).toBe(401);
  expect((await bench.ask("/", { cookie: second })).status).toBe(200);
});

test("every answer carries the strict headers: a page, a script, a refusal, a wrong path, a wrong method, nonsense", async () => {
  const cookie = await bench.enter();
  const answers = [
    await bench.ask("/", { cookie }),
    await bench.ask("/main.js", { cookie }),
    await bench.ask(bench.path(bench.page.address)),
    await bench.ask("/"),
    await bench.ask("/", { host: "evil.example" }),
    await bench.ask("/nothing", { cookie }),
    await bench.ask("/", { cookie }, "POST"),
    await bench.ask("/", { cookie, host: "not a host" }),
    await bench.ask("/", { cookie, upgrade: "websocket", connection: "upgrade" }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 303, 401, 421, 404, 405, 400, 403]);
  for (const { status, headers } of answers) {
    const policy = headers["content-security-policy"] as string;
    expect(policy.split("; ").sort(), String(status)).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "script-src 'self'",
      "style-src 'self'",
    ]);
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
    });
    for (const feature of ["camera", "microphone", "geolocation"]) {
      expect(headers["permissions-policy"]).toContain(`${feature}=()`);
    }
    expect(headers["access-control-allow-origin"]).toBeUndefined();
    expect(headers["x-powered-by"]).toBeUndefined();
  }
});

test("only GET and HEAD are answered; HEAD without a body", async () => {
  const cookie = await bench.enter();
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]) {
    expect(await bench.ask("/", { cookie }, method), method).toMatchObject({
      status: 405,
      headers: { allow: "GET, HEAD" },
    });
  }
  expect(await bench.ask("/main.js", { cookie }, "HEAD")).toMatchObject({
    status: 200,
    headers: { "content-type": "text/javascript; charset=utf-8" },
    body: "",
  });
});

test("a request that asks for another protocol is refused and its connection ends", async () => {
  const cookie = await bench.enter();
  const lines = [
    "GET /feed HTTP/1.1",
    `Host: 127.0.0.1:${bench.page.port}`,
    `Cookie: ${cookie}`,
    `Origin: ${bench.origin}`,
  ];
  const answer = await new Promise<string>((resolve, reject) => {
    let text = "";
    const socket = connectTcp(bench.page.port, "127.0.0.1");
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.once("error", reject).once("close", () => resolve(text));
    socket.write(`${[...lines, "Connection: Upgrade", "Upgrade: h2c"].join("\r\n")}\r\n\r\n`);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
});

test("port 80 goes without saying, every interface is no name to open, and IPv6 stands in brackets", () => {
  const access = (host: string, port: number) => createAccess({ host, port, random: randomBytes, onAddress() {} });
  const passes = (one: Access, host: string) => one.check(host, undefined)?.status === 401;
  const plain = access("127.0.0.1", 80);
  expect(plain.address).toMatch(/^http:\/\/127\.0\.0\.1\/\?token=/);
  expect([passes(plain, "127.0.0.1"), passes(plain, "127.0.0.1:8080")]).toEqual([true, false]);
  const every = access("0.0.0.0", 8080);
  expect(every.address).toMatch(/^http:\/\/127\.0\.0\.1:8080\//);
  expect([passes(every, "localhost:8080"), passes(every, "192.168.1.7:8080")]).toEqual([true, false]);
  const six = access("::1", 8080);
  expect(six.address).toMatch(/^http:\/\/\[::1\]:8080\//);
  expect(passes(six, "[::1]:8080")).toBe(true);
  const named = access("Bench.Example", 8080);
  expect(named.address).toMatch(/^http:\/\/bench\.example:8080\//);
  expect(passes(named, "bench.example:8080")).toBe(true);
});

test("a source of randomness that gives too little lets nobody in: the page does not start", () => {
  const random = (bytes: number) => new Uint8Array(bytes - 1);
  expect(() => createAccess({ host: "127.0.0.1", port: 1, random, onAddress() {} })).toThrow(/gave 23 bytes where 24/);
});

test("a port that is taken is an error that names it and says what to do", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  const options = { gateway: bench.gateway, sitePublicKey: null, now: () => 0, random: Buffer.alloc, onAddress() {} };
  await expect(startPage({ ...options, port })).rejects.toThrow(
    new RegExp(`127\\.0\\.0\\.1:${port}: .*EADDRINUSE.*--port`),
  );
  await new Promise((resolve) => taken.close(resolve));
});
