/** A board over TLS, end to end: from its chips through a broker that wants certificates into the store. */
import { copyFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeBrokerConfig } from "../../cli/broker-config.ts";
import { gatewayKey } from "../../cli/gateway/key.ts";
import { writeCards } from "../../cli/keys.ts";
import { testCard, testSite } from "../../cli/site.ts";
import { openSqliteStore } from "../../gateway/store/sqlite.ts";
import { fromHex, kidText } from "../../protocol/keys.ts";
import { makeCertificates } from "../support/certificates.ts";
import { ownFolder } from "../support/folder.ts";
import { lacks } from "../support/needs.ts";
import { freePort, type Running, run, vitalwire } from "../support/process.ts";

describe.skipIf(lacks("openssl"))("a board over TLS", () => {
  const folder = ownFolder();
  const store = () => join(folder(), "s.db");

  const simulate = (port: number, tls: string) =>
    vitalwire(
      ...["simulate", "--out", `mqtts://localhost:${port}/ward-3`, "--tls", tls, "--cards", folder()],
      ...["--json", "--fast", "--seconds", "1"],
    );
  /** The board that `simulate` is: it tells its name when it is given another's certificate. */
  let kid = "";
  /** Keys, cards and certificates of a gateway and of that board. */
  const prepare = async () => {
    const signer = gatewayKey(join(folder(), "gateway.key"));
    const gateway = kidText(signer.kid);
    writeCards(folder(), testSite.publicKey, [{ kid: signer.kid, card: testCard(signer, "gateway", Date.now()) }]);
    if (kid === "") {
      const another = makeCertificates(mkdtempSync(join(folder(), "another-")), { board: "another", gateway });
      const stranger = simulate(1, join(another, "another"));
      expect(await stranger.ended()).toBe(1);
      kid = stranger.output().match(/client\.crt: is for "another", not for "([0-9a-f]{16})"/)![1]!;
    }
    return { gateway, tls: makeCertificates(folder(), { board: kid, gateway }) };
  };
  const start = (broker: string) => {
    const config = join(folder(), "gateway.yaml");
    writeFileSync(config, `site: ward-3\nbroker: ${broker}\npage: false\n`);
    return vitalwire("gateway", "--config", config, "--store", store(), "--cards", folder(), "--allow-test-keys");
  };
  /** Everything the board made is stored, and was acknowledged, which `--fast` waits for. */
  const expectStored = async (board: Running, gateway: Running) => {
    expect(await board.ended(60_000), board.output()).toBe(0);
    const { packets } = JSON.parse(board.stdout());
    expect(packets).toMatchObject({ waiting: 0 });
    gateway.process.kill("SIGINT");
    await gateway.ended();
    const open = openSqliteStore(store(), { readonly: true });
    const [boot] = open.boots(fromHex(kid));
    expect(open.seqs(fromHex(kid), boot!.boot, 0)).toHaveLength(packets.produced);
    open.close();
  };

  test("reaches the store through the gateway's own broker; with another's certificate it does not start", async () => {
    const { tls } = await prepare();
    const port = await freePort();
    const files = `ca: ${tls}/ca.crt, certificate: ${tls}/broker.crt, key: ${tls}/broker.key`;
    const gateway = start(`{ embedded: { port: ${port}, ${files} } }`);
    await gateway.printed(/broker: listening on mqtts:.*, for boards with a certificate/);
    await expectStored(simulate(port, join(tls, kid)), gateway);
  }, 120_000);

  test.skipIf(lacks("mosquitto"))(
    "reaches the store through a mosquitto that broker-config has set up",
    async () => {
      const { tls, gateway: gatewayKid } = await prepare();
      const port = await freePort();
      // It waits for its broker, which is made from its card.
      const board = simulate(port, join(tls, kid));
      await board.printed(/board [0-9a-f]{16}, boot/);
      const out = join(folder(), "out");
      writeBrokerConfig({
        broker: "mosquitto",
        cards: folder(),
        out,
        site: "ward-3",
        install: tls,
        port,
        allowTestKeys: true,
      });
      copyFileSync(join(out, "vitalwire.acl"), join(tls, "vitalwire.acl"));
      const conf = readFileSync(join(out, "mosquitto.conf"), "utf8").replace("/var/lib/mosquitto", folder());
      // Where it is started by root it would run as another user, who may not read this test's files.
      writeFileSync(join(folder(), "mosquitto.conf"), `${conf}user ${userInfo().username}\n`);
      const broker = run("/usr/sbin/mosquitto", ["-c", join(folder(), "mosquitto.conf")]);
      await broker.printed(/mosquitto version .* running/);
      const files = `ca: ${tls}/ca.crt, certificate: ${tls}/gateway.crt, key: ${tls}/gateway.key`;
      const gateway = start(`{ url: "mqtts://localhost:${port}", ${files} }`);
      await gateway.printed(/broker localhost:\d+: connected/);
      expect(broker.output()).toContain(`as gw-${gatewayKid} `);
      await expectStored(board, gateway);
    },
    120_000,
  );
});
