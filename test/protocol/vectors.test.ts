import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decodeCard, encodeCard } from "../../protocol/card.ts";
import { CHAIN_START, chainStep, decodeCheckpoint, encodeCheckpoint } from "../../protocol/checkpoint.ts";
import { decodeEnvelope, sign1, verify1 } from "../../protocol/cose.ts";
import { nodeCrypto, nodeSigner } from "../../protocol/crypto.node.ts";
import { decodeLine, encodeLine } from "../../protocol/frame.ts";
import { fromHex, kidText, toHex } from "../../protocol/keys.ts";
import { decodeMessage, encodeMessage, type Message } from "../../protocol/messages.ts";
import { REASONS } from "../../protocol/refusal.ts";
import { decodeSamples } from "../../protocol/samples.ts";
import { tweetnaclCrypto, tweetnaclSigner } from "../../protocol/tweetnacl.node.ts";
import { fromJson, read, reasonOf, vectors } from "./support.ts";

const document = read("PROTOCOL.md");
const chapter = (number: number) =>
  document.slice(document.indexOf(`\n## ${number}. `), document.indexOf(`\n## ${number + 1}. `));

interface Example {
  name: string;
  hex?: string;
  payload?: string;
  line?: string;
  signedBy?: string;
  refused?: string;
  decoded?: unknown;
}
const { keys, examples } = vectors("examples") as { keys: Record<string, string>; examples: Example[] };

/** The blocks of section 9 that show bytes, by the first words of the line above them. */
const shown = [...chapter(9).matchAll(/\n([A-Z][^\n]*?) ?\((\d+) B\):\n+```\n([^`]*)```/g)].map((match) => ({
  title: match[1] as string,
  size: Number(match[2]),
  lines: (match[3] as string).trim().split("\n"),
}));

describe("the worked examples of PROTOCOL.md section 9", () => {
  test("the document shows exactly the bytes of the vectors, with their sizes", () => {
    expect(shown.map((block) => block.title).every((title, i) => title.startsWith(examples[i]?.name as string))).toBe(
      true,
    );
    expect(shown).toHaveLength(examples.length);
    shown.forEach((block, i) => {
      const example = examples[i] as Example;
      const bytes = block.lines.filter((line) => !line.startsWith("~")).join("");
      expect(bytes).toBe(example.hex ?? example.payload);
      expect(bytes.length / 2).toBe(block.size);
      expect(block.lines.find((line) => line.startsWith("~"))).toBe(example.line);
    });
  });

  test("the document's keys and its sample codecs are those of the vectors", () => {
    const named = (name: string) => new RegExp(`^${name} .*?([0-9a-f]{64}|= [0-9a-f]{16})`, "m").exec(chapter(9))?.[1];
    expect(named("dev public")).toBe(keys.device);
    expect(named("site public")).toBe(keys.site);
    expect(named("gw public")).toBe(keys.gateway);
    expect(named("kid")).toBe(`= ${keys.kid}`);
    const first = vectors("samples").blocks[0];
    expect(chapter(2)).toContain(
      `x = [${first.samples.join(",")}]: raw24be ${first.raw24be}; delta ${first.delta}; ` +
        `rice order ${first.rice.order} k0 ${first.rice.k0} ${first.rice.hex}`,
    );
  });

  test("the document numbers the reasons as the code does", () => {
    expect(document).toContain(`${REASONS.map((reason, i) => `${i} ${reason}`).join(", ")}.`);
  });

  for (const example of examples) {
    if (example.signedBy !== undefined && example.payload !== undefined)
      test(`${example.name}: verifies under the ${example.signedBy}'s key by both verifiers`, () => {
        const envelope = decodeEnvelope(fromHex(example.hex as string));
        const publicKey = fromHex(keys[example.signedBy as string] as string);
        expect(verify1(envelope, publicKey, nodeCrypto)).toBe(true);
        expect(verify1(envelope, publicKey, tweetnaclCrypto)).toBe(true);
        expect(toHex(envelope.payload)).toBe(example.payload);
      });
    if (example.refused !== undefined)
      test(`${example.name}: is refused until its mode is spoken`, () => {
        expect(reasonOf(() => decodeEnvelope(fromHex(example.hex as string)))).toBe(example.refused);
      });
    if (example.payload !== undefined)
      test(`${example.name}: its payload decodes to what is committed, and encodes to the same bytes`, () => {
        const decoded = decodeMessage(fromHex(example.payload as string));
        expect(decoded).toEqual(fromJson(example.decoded));
        expect(toHex(encodeMessage(decoded))).toBe(example.payload);
      });
    if (example.line !== undefined)
      test(`${example.name}: its serial line`, () => {
        expect(toHex(decodeLine(example.line as string) as Uint8Array)).toBe(example.hex);
        expect(encodeLine(fromHex(example.hex as string))).toBe(`${example.line}\n`);
      });
  }

  test("Device card: opens under the site's key", () => {
    expect(decodeCard(fromHex(examples[0]?.hex as string), fromHex(keys.site as string), nodeCrypto)).toEqual(
      fromJson(examples[0]?.decoded),
    );
  });

  test("the wave inside the data example is the sample example", () => {
    const data = decodeMessage(fromHex(examples.find((one) => one.name === "Data payload")?.payload as string));
    const wave = data.type === "data" ? data.channels[0] : undefined;
    if (wave?.kind !== "wave") throw new Error("the first block of the example is a wave");
    expect([...decodeSamples(wave.codec, wave.bytes, wave.n)]).toEqual(vectors("samples").blocks[0].samples);
  });
});

describe("the sealed vectors under TEST-ONLY keys", () => {
  const sealed = vectors("sealed");
  const seed = (name: string) => new Uint8Array(createHash("sha256").update(sealed.keys[name].seed).digest());

  test("the keys are those of their seeds, which say that they are for tests", () => {
    for (const [name, key] of Object.entries<Record<string, string>>(sealed.keys)) {
      expect(key.seed).toMatch(/^TEST-ONLY vitalwire/);
      expect(toHex(nodeSigner(seed(name)).publicKey)).toBe(key.publicKey);
      expect(kidText(nodeSigner(seed(name)).kid)).toBe(key.kid);
    }
  });

  for (const vector of sealed.messages)
    test(`${vector.name}: encodes, seals (by both signers) and opens to the committed bytes`, () => {
      const message = fromJson(vector.decoded) as Message;
      expect(toHex(encodeMessage(message))).toBe(vector.payload);
      for (const make of [nodeSigner, tweetnaclSigner])
        expect(toHex(sign1(fromHex(vector.payload), make(seed(vector.signedBy))))).toBe(vector.hex);
      const envelope = decodeEnvelope(fromHex(vector.hex));
      expect(verify1(envelope, fromHex(sealed.keys[vector.signedBy].publicKey), nodeCrypto)).toBe(true);
      expect(decodeMessage(envelope.payload)).toEqual(message);
    });

  test("the gateway's card and the checkpoint", () => {
    const card = fromJson(sealed.card.decoded) as never;
    expect(toHex(encodeCard(card, nodeSigner(seed("site"))))).toBe(sealed.card.hex);
    expect(decodeCard(fromHex(sealed.card.hex), fromHex(sealed.keys.site.publicKey), nodeCrypto)).toEqual(card);
    const checkpoint = fromJson(sealed.checkpoint.decoded) as never;
    expect(toHex(encodeCheckpoint(checkpoint, nodeSigner(seed("gateway"))))).toBe(sealed.checkpoint.hex);
    const publicKey = fromHex(sealed.keys.gateway.publicKey);
    expect(decodeCheckpoint(fromHex(sealed.checkpoint.hex), publicKey, nodeCrypto)).toEqual(checkpoint);
  });

  test("the chain over three of the messages ends at the checkpoint", () => {
    let chain: Uint8Array = CHAIN_START;
    for (const link of sealed.chain) {
      const vector = sealed.messages.find((one: { name: string }) => one.name === link.message);
      const hash = nodeCrypto.sha256(fromHex(vector.hex));
      const kid = fromHex(sealed.keys.device.kid);
      const { boot, seq } = vector.decoded;
      chain = chainStep(nodeCrypto, chain, kid, boot, seq, hash, link.receivedMs, link.evidence);
      expect(toHex(chain)).toBe(link.chain);
    }
    expect(sealed.checkpoint.decoded.chain.hex).toBe(toHex(chain));
  });
});
