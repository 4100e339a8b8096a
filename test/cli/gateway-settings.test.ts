import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gatewayKey } from "../../cli/gateway/key.ts";
import { type GatewayOptions, readSettings } from "../../cli/gateway/settings.ts";
import { UsageError } from "../../cli/usage.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vitalwire-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function settingsOf(yaml: string, options: GatewayOptions = {}) {
  const config = join(folder, "gateway.yaml");
  writeFileSync(config, yaml);
  return readSettings({ config, ...options });
}
function faultOf(yaml: string, options: GatewayOptions = {}): string {
  try {
    settingsOf(yaml, options);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message.replaceAll(folder, "");
  }
  throw new Error("it was taken");
}

describe("a gateway's settings", () => {
  test("without a word: a store here, an embedded broker on loopback, a page on 8080", () => {
    const settings = readSettings({});
    expect(settings).toMatchObject({ store: "vitalwire.db", cards: ".", serial: [], allowTestKeys: false });
    expect(settings.broker).toEqual({ host: "127.0.0.1", port: 1883 });
    expect(settings.page).toEqual({ host: "127.0.0.1", port: 8080, asked: false });
  });

  test("what opens pre-shared keys: relative to the file, and the command line above it", () => {
    expect(readSettings({}).wrapping).toEqual({});
    expect(settingsOf("passphraseFile: words").wrapping).toEqual({ passphraseFile: join(folder, "words") });
    expect(settingsOf("keyFile: wrap.key").wrapping).toEqual({ keyFile: join(folder, "wrap.key") });
    expect(settingsOf("passphraseFile: words", { keyFile: "wrap.key" }).wrapping).toEqual({ keyFile: "wrap.key" });
  });

  test("with a serial port no broker is opened unless it is asked for", () => {
    expect(readSettings({ serial: ["/dev/ttyUSB0"] }).broker).toBeNull();
    expect(readSettings({ serial: ["/dev/ttyUSB0"], broker: "embedded" }).broker).not.toBeNull();
  });

  test("paths in the file are relative to the file, and the command line stands above it", () => {
    const yaml =
      "store: ward/s.db\nsite: ward-3\nserial:\n  - /dev/ttyUSB0\n  - { port: /dev/ttyACM0, baud: 230400 }\npage: { port: 9000 }\n";
    const settings = settingsOf(yaml);
    expect(settings.store).toBe(join(folder, "ward/s.db"));
    expect(settings.cards).toBe(join(folder, "ward"));
    expect(settings.key).toBe(join(folder, "ward/gateway.key"));
    expect(settings.serial).toEqual([
      { path: "/dev/ttyUSB0", baud: 115_200 },
      { path: "/dev/ttyACM0", baud: 230_400 },
    ]);
    expect(settings.page).toEqual({ host: "127.0.0.1", port: 9000, asked: true });
    const above = settingsOf(yaml, { serial: ["/dev/ttyS9"], port: 0, store: "other.db", broker: "mqtt://10.0.0.1" });
    expect(above.serial).toEqual([{ path: "/dev/ttyS9", baud: 115_200 }]);
    expect(above).toMatchObject({ store: "other.db", cards: ".", site: "ward-3", broker: { url: "mqtt://10.0.0.1" } });
    expect(above.page?.port).toBe(0);
  });

  test("an empty file is a file of defaults", () => {
    expect(settingsOf("").page?.port).toBe(8080);
    expect(settingsOf("page: false\n").page).toBeNull();
  });

  test.each([
    ["stroe: x\n", '/gateway.yaml:1: there is no setting "stroe" here'],
    ["store: x\nserial:\n  - { port: /dev/a, baud: 12 }\n", "/gateway.yaml:3: serial.0"],
    ["store: x\npage:\n  port: 99999\n", "/gateway.yaml:3: page.port"],
    ["store: x\n\nsite: a/b\n", "/gateway.yaml:3: site: letters, digits"],
    ["broker: { embedded: { prot: 1 } }\n", '/gateway.yaml:1: there is no setting "prot" here'],
    ["store: [\n", "/gateway.yaml:2:"],
  ])("a fault is told with its line: %j", (yaml, expected) => {
    expect(faultOf(yaml)).toContain(expected);
  });

  test("certificates of brokers: paths relative to the file, another port, and all that belongs together", () => {
    const files = "ca: tls/ca.crt, certificate: tls/x.crt, key: /k/x.key";
    const tls = { ca: join(folder, "tls/ca.crt"), certificate: join(folder, "tls/x.crt"), key: "/k/x.key" };
    expect(settingsOf(`broker: { embedded: { ${files} } }\n`).broker).toEqual({ host: "127.0.0.1", port: 8883, tls });
    expect(settingsOf(`broker: { url: "mqtts://x", ${files} }\n`).broker).toEqual({ url: "mqtts://x", tls });
    expect(settingsOf("broker: { embedded: { host: 0.0.0.0, plain: true } }\n").broker).toEqual({
      host: "0.0.0.0",
      port: 1883,
      plain: true,
    });
    expect(faultOf("broker: { embedded: { ca: a, key: b } }\n")).toContain("TLS takes ca, certificate and key");
    expect(faultOf(`broker: { url: "mqtt://x", ${files} }\n`)).toContain("certificates are for mqtts://HOST[:PORT]");
    expect(faultOf("store: x\nbroker: { embedded: { certificates: a } }\n")).toContain(
      '/gateway.yaml:2: there is no setting "certificates" here',
    );
  });

  test("what is not spoken yet, or is no broker, is refused by its name", () => {
    expect(faultOf("store: postgres://x/y\n")).toContain(
      "--store postgres://x/y: Postgres is not spoken yet; name a file",
    );
    expect(faultOf("", { broker: "nats://x" })).toContain("NATS is not spoken yet; use its MQTT port");
    expect(faultOf("", { broker: "kafka" })).toContain('broker "kafka": give embedded or mqtt://HOST[:PORT]');
    expect(faultOf("", { serial: ["/dev/a", "/dev/a"] })).toContain("serial port /dev/a is named twice");
    expect(() => readSettings({ config: "/nowhere/x.yaml" })).toThrow("configuration /nowhere/x.yaml: no such file");
  });
});

describe("the gateway's key", () => {
  test("is made once, for its owner alone, and is the same afterwards", () => {
    const path = join(folder, "gateway.key");
    const first = gatewayKey(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(gatewayKey(path).publicKey).toEqual(first.publicKey);
    expect(gatewayKey(join(folder, "other.key")).publicKey).not.toEqual(first.publicKey);
  });

  test("is refused where others may read it, and where it is none; it is not overwritten", () => {
    const path = join(folder, "open.key");
    gatewayKey(path);
    chmodSync(path, 0o644);
    expect(() => gatewayKey(path)).toThrow(/others may read it \(mode 644\); chmod 600/);
    const text = join(folder, "text.key");
    writeFileSync(text, "hello\n", { mode: 0o600 });
    expect(() => gatewayKey(text)).toThrow(/not 64 hex digits/);
    expect(readFileSync(text, "utf8")).toBe("hello\n");
  });
});
