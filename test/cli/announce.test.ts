/** vitalwire announce, and what a board that was given the release key does with it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { createMemoryStorage } from "../../boards/simulated.ts";
import { type AnnounceOptions, announce } from "../../cli/announce.ts";
import { parametersFor } from "../../cli/command.ts";
import { readPublicKey } from "../../cli/keys.ts";
import { firmwareHandlers } from "../../cli/simulate/unprovisioned.ts";
import { UsageError } from "../../cli/usage.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeFirmware } from "../../protocol/firmware-object.ts";
import { operationNamed, STATUS_DONE, STATUS_REFUSED } from "../../protocol/messages.ts";
import { sha256 } from "../../simulator/keys.ts";
import { ownFolder } from "../support/folder.ts";
import { createSiteFolder, documentOf } from "../support/site.ts";

const folder = ownFolder();
const image = () => join(folder(), "image.bin");
let ward: ReturnType<typeof createSiteFolder>;

beforeEach(async () => {
  ward = createSiteFolder(join(folder(), "ward"));
  await ward.keygen({ site: "ward 7" });
  await ward.keygen({ release: true });
  writeFileSync(image(), "a firmware image");
});

const made = (options: Partial<AnnounceOptions> = {}) =>
  documentOf(() =>
    announce({
      ...{ key: ward.path("release.key"), image: image(), version: 2, board: "simulated" },
      ...{ out: ward.path("two.fw"), json: true, ...options },
    }),
  );
const bytesOf = (name: string) => new Uint8Array(readFileSync(ward.path(name)));

test("what is announced is signed by the release key, with the size and the digest of the image", async () => {
  const document = await made();
  const releaseKey = readPublicKey(ward.path("release.pub"));
  const digest = sha256("a firmware image");
  expect(decodeFirmware(bytesOf("two.fw"), releaseKey, nodeCrypto)).toEqual({
    ...{ version: 2, size: 16, digest, board: "simulated" },
  });
  expect(document).toMatchObject({ version: 2, size: 16, sha256: Buffer.from(digest).toString("hex") });
  // As a command carries it.
  const operation = operationNamed("firmware-announce")!;
  expect(parametersFor(operation, [`object=@${ward.path("two.fw")}`])[0]![1]).toEqual(bytesOf("two.fw"));
  expect(() => parametersFor(operation, ["object=@nowhere"])).toThrow(/no such file/);
  expect(() => parametersFor(operation, [`object=@${image()}x`])).toThrow(UsageError);
});

test("a board takes a version above its own once, and nothing older, altered, or for another board", async () => {
  const storage = createMemoryStorage();
  const said: string[] = [];
  const { firmware } = firmwareHandlers(readPublicKey(ward.path("release.pub")), storage, (line) => said.push(line));
  const answer = (object: Uint8Array) => {
    let status = -1;
    firmware!(object, (which) => {
      status = which;
    });
    return status;
  };
  await made();
  await made({ version: 3, out: ward.path("three.fw") });
  await made({ version: 4, board: "esp32", out: ward.path("other.fw") });
  await made({ version: 1, out: ward.path("one.fw") });
  expect(answer(bytesOf("one.fw"))).toBe(STATUS_REFUSED);
  expect(answer(bytesOf("three.fw"))).toBe(STATUS_DONE);
  for (const name of ["two.fw", "three.fw", "other.fw"]) expect(answer(bytesOf(name)), name).toBe(STATUS_REFUSED);
  const altered = bytesOf("three.fw");
  altered[altered.length - 70]! ^= 1;
  expect(answer(altered)).toBe(STATUS_REFUSED);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/^firmware 3 \(16 bytes/);
  expect(firmwareHandlers(null, storage, () => {})).toEqual({});
});

test("another kind of key, an empty image and a missing file are bad usage", async () => {
  const device = await ward.keygen({ device: true });
  await expect(made({ key: device.key })).rejects.toThrow(/a device's key; firmware is signed by release.key/);
  await expect(made({ key: ward.path("site.key") })).rejects.toThrow(/a site's key/);
  await expect(made({ image: "nowhere" })).rejects.toThrow(UsageError);
  writeFileSync(image(), "");
  await expect(made()).rejects.toThrow(/empty/);
});
