/** What a link gives to the firmware, in the transcript of its board: who connects, acks, commands, the time. */
import { createHash } from "node:crypto";
import { bytesOf, hexOf, numberOf } from "../boards/transcript-lines.ts";
import type { Recording } from "../boards/transcript-record.ts";
import type { Replay } from "../boards/transcript-replay.ts";
import type { Letter, Link, LinkEvents } from "../firmware/link.ts";

/** A message is checked by its SHA-256: the transcript is for what comes in. */
const digestOf = (message: Uint8Array) => ({
  length: message.length,
  sha256: createHash("sha256").update(message).digest("hex"),
});
const sent = (letter: Letter, message: Uint8Array, current: boolean) => ({
  ask: "send",
  letter,
  current,
  ...digestOf(message),
});
const left = (message: Uint8Array) => ({ ask: "leave", ...digestOf(message) });

/** The same link; what it gives goes into the recording's transcript. One link a recording. */
export function recordLink({ tape }: Recording, link: Link): Link {
  return {
    presence: link.presence,
    open(events, will) {
      const recorded: LinkEvents = {
        onUp: (connection) => tape.event({ event: "up", connection }, () => events.onUp(connection)),
        onDown: () => tape.event({ event: "down" }, events.onDown),
        onMessage: (message) =>
          tape.event({ event: "message", bytes: hexOf(message) }, () => events.onMessage(message)),
      };
      const leave = (connection: number) => {
        const message = will(connection);
        tape.ask(left(message), () => {});
        return message;
      };
      tape.ask({ ask: "link", presence: link.presence }, () =>
        link.open(recorded, (connection) => tape.event({ event: "will", connection }, () => leave(connection))),
      );
    },
    send: (letter, message, current = true) =>
      tape.ask(
        sent(letter, message, current),
        () => link.send(letter, message, current),
        (went) => went,
      ),
    close: (done) => tape.ask({ ask: "hang up" }, () => link.close(() => tape.event({ event: "hung up" }, done))),
  };
}

/**
 * A link that gives what the recorded one gave. `presence`: what that link said of itself. `onSent` hears every message
 * that the firmware sends, which must be the recorded one, byte for byte: otherwise TranscriptError with the line.
 */
export function replayLink(
  { tape }: Replay,
  presence: boolean,
  onSent: (letter: Letter, message: Uint8Array) => void = () => {},
): Link {
  return {
    presence,
    open(events, will) {
      tape.on("up", (entry) => events.onUp(numberOf(entry, "connection")));
      tape.on("down", () => events.onDown());
      tape.on("message", ({ line, fields }) => events.onMessage(bytesOf(line, fields.bytes)));
      tape.on("will", (entry) => void tape.ask(left(will(numberOf(entry, "connection")))));
      tape.ask({ ask: "link", presence });
    },
    send(letter, message, current = true) {
      onSent(letter, message);
      return tape.ask(sent(letter, message, current)) === true;
    },
    close(done) {
      tape.on("hung up", done);
      tape.ask({ ask: "hang up" });
    },
  };
}
