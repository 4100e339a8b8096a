import { expect, test } from "vitest";
import { encodeCheckpoint } from "../../protocol/checkpoint.ts";
import { sign1 } from "../../protocol/cose.ts";
import { nodeCrypto } from "../../protocol/crypto.node.ts";
import { decodeGatewayState, encodeGatewayState, TYP_GATEWAY_STATE } from "../../protocol/gateway-state.ts";
import { fromHex, toHex } from "../../protocol/keys.ts";
import { testOnlySigner } from "../../simulator/keys.ts";
import { everyFlip } from "./modes.ts";
import { outcomeOf } from "./support.ts";

const signer = testOnlySigner("gateway state");
const open = (bytes: Uint8Array) => decodeGatewayState(bytes, signer.publicKey, nodeCrypto);

test("a gateway's state is a signed map of state and the beginning of its connection, and opens again", () => {
  for (const state of [0, 1, 2] as const) {
    const bytes = encodeGatewayState({ state, since: 1_800_000_000_000 }, signer);
    expect(open(bytes)).toEqual({ state, since: 1_800_000_000_000 });
    // {1: state, 2: 1800000000000}, and the typ of no other object.
    expect(toHex(bytes)).toContain(`4da2010${state}021b000001a3185c5000`);
    expect(Buffer.from(bytes).includes(TYP_GATEWAY_STATE)).toBe(true);
  }
});

test("any flipped byte is refused, another gateway's signature too", () => {
  const bytes = encodeGatewayState({ state: 1, since: 5 }, signer);
  everyFlip(bytes, (flipped, what) =>
    expect(
      outcomeOf(() => open(flipped)),
      what,
    ).not.toBe("ok"),
  );
  const other = encodeGatewayState({ state: 1, since: 5 }, testOnlySigner("another gateway"));
  expect(outcomeOf(() => open(other))).toBe("kid");
});

test("another object of the same gateway does not pass for its state, nor its state for a message", () => {
  const checkpoint = encodeCheckpoint({ position: 1, chain: new Uint8Array(32), time: 5 }, signer);
  expect(outcomeOf(() => open(checkpoint))).toBe("header");
  const payload = fromHex("a201010205");
  expect(outcomeOf(() => open(sign1(payload, signer)))).toBe("header");
  expect(open(sign1(payload, signer, TYP_GATEWAY_STATE))).toEqual({ state: 1, since: 5 });
});

test("what is no state is refused as payload", () => {
  const hostile = ["a201030205", "a201010220", "a10101", "a3010102050300", "a202050101", "a201f60205", "820105"];
  for (const hex of hostile) {
    expect(["payload", "cbor"], hex).toContain(outcomeOf(() => open(sign1(fromHex(hex), signer, TYP_GATEWAY_STATE))));
  }
  expect(() => encodeGatewayState({ state: 3 as 2, since: 5 }, signer)).toThrow(/not 0, 1 or 2/);
  expect(() => encodeGatewayState({ state: 1, since: 1.5 }, signer)).toThrow(/whole number/);
});
