import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSequenceSplitter, isSequence, splitCapture } from "../../cli/capture.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { createTestDevice } from "../support/gateway.ts";

const device = createTestDevice("a");
const messages = [device.seal(device.birth()), device.seal(device.data(1)), device.seal(device.data(2))];
const sequence = Buffer.concat(messages);

describe("a capture of `~` lines", () => {
  test("gives every message, leaves log lines out, and names the line of one that is damaged", () => {
    const lines = ["boot: vitalwire 0.1.0\n", ...messages.map(encodeLine)];
    lines[2] = lines[2].replace(/.(?=\n)/, "!");
    const parts = [...splitCapture(Buffer.from(lines.join(""), "latin1"))];
    expect(parts.map(({ where }) => where)).toEqual(["line 2", "line 3", "line 4"]);
    expect(parts.map((part) => ("message" in part ? "message" : part.refusal.reason))).toEqual([
      "message",
      "base64",
      "message",
    ]);
    expect("message" in parts[0] && Buffer.compare(parts[0].message, messages[0])).toBe(0);
  });
});

describe("a CBOR sequence of messages (RFC 8742)", () => {
  test("is split where the messages end", () => {
    const parts = [...splitCapture(sequence)];
    expect(parts.map((part) => ("message" in part ? Buffer.from(part.message).toString("hex") : "refused"))).toEqual(
      messages.map((message) => Buffer.from(message).toString("hex")),
    );
  });

  test("cut at any byte gives every whole message before the cut, then at most one refusal", () => {
    const ends = messages.map((_, i) => Buffer.concat(messages.slice(0, i + 1)).length);
    for (let length = 0; length <= sequence.length; length++) {
      const parts = [...splitCapture(sequence.subarray(0, length))];
      const whole = ends.filter((end) => end <= length).length;
      expect(parts.filter((part) => "message" in part)).toHaveLength(whole);
      expect(parts).toHaveLength(length === 0 || ends.includes(length) ? whole : whole + 1);
    }
  });

  test("gives the same parts however it is cut into chunks, whole or cut off", () => {
    const plain = (parts: Iterable<ReturnType<typeof splitCapture> extends Generator<infer Part> ? Part : never>) =>
      [...parts].map((part) => [part.where, "message" in part ? Buffer.from(part.message).toString("hex") : "refused"]);
    const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 2, max: sequence.length }), (chunks, length) => {
        const cut = sequence.subarray(0, length);
        const splitter = createSequenceSplitter();
        const parts = [];
        for (let at = 0, i = 0; at < length; at += chunks[i++ % chunks.length]) {
          parts.push(...splitter.push(cut.subarray(at, at + chunks[i % chunks.length])));
        }
        parts.push(...splitter.end());
        expect(plain(parts)).toEqual(plain(splitCapture(cut)));
      }),
    );
  });

  test("does not wait for ever for a message that says it is a gigabyte long", () => {
    const splitter = createSequenceSplitter();
    const huge = Buffer.concat([Buffer.from("d2845a40000000", "hex"), Buffer.alloc(10_000)]);
    expect([...splitter.push(huge)]).toMatchObject([{ where: "byte 0" }]);
    expect([...splitter.push(huge), ...splitter.end()]).toEqual([]);
  });

  test("is told from lines that begin with line noise", () => {
    expect(isSequence(sequence)).toBe(true);
    expect(isSequence(Uint8Array.of(0xd2, 0x20))).toBe(false);
    expect(isSequence(Buffer.from(encodeLine(messages[0])))).toBe(false);
  });
});
