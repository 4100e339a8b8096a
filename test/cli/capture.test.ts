import { describe, expect, test } from "vitest";
import { splitCapture } from "../../cli/capture.ts";
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
});
