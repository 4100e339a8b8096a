/** PROTOCOL.md section 10, "signature malleability": the S+L variants are refused and make 0 rows, and no alarm. */
import { expect, test } from "vitest";
import { decodeEnvelope } from "../../protocol/cose.ts";
import { createTestDevice, createTestGateway, createTestOrigin } from "../support/gateway.ts";

/** Order of the group of Ed25519 (RFC 8032 section 5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The message with S + n L in place of S, the last 32 bytes, little-endian; null where it has no room. */
function variant(message: Uint8Array, n: bigint): Uint8Array | null {
  const scalar = message.slice(-32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n) + n * L;
  if (scalar >= 2n ** 256n) return null;
  const out = message.slice();
  for (let i = 0; i < 32; i++) out[out.length - 32 + i] = Number((scalar >> BigInt(8 * i)) & 255n);
  return out;
}

test("all of them are refused, before and after the message itself, which is stored once", () => {
  const bench = createTestGateway();
  const device = createTestDevice("malleable");
  device.enrollAt(bench.gateway);
  const origin = createTestOrigin();
  const messages = [device.birth(), device.data(1)].map(device.seal);
  let variants = 0;
  const tryAll = (message: Uint8Array) => {
    for (let n = 1n; n <= 15n; n++) {
      const other = variant(message, n);
      if (other === null) continue;
      variants++;
      // The same payload under another signature: only the signature tells them apart.
      expect(Buffer.compare(decodeEnvelope(other).payload, decodeEnvelope(message).payload)).toBe(0);
      expect(bench.gateway.receive(other, origin)).toMatchObject({ status: "refused", reason: "signature" });
    }
  };
  for (const message of messages) {
    tryAll(message);
    expect(bench.gateway.receive(message, origin).status).toBe("accepted");
    tryAll(message);
    bench.settle();
    tryAll(message);
  }
  expect(variants).toBeGreaterThanOrEqual(84);
  expect(bench.gateway.store.head().position).toBe(2);
  expect(bench.alarms).toEqual([]);
});
