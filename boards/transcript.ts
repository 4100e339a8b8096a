/**
 * A transcript of all that a board gave to the firmware above it, and a board that gives it again: the same frames and the
 * same sealed messages, byte for byte, without the chips, their bus, or a clock. For a defect that was seen once, on a
 * board far away.
 *
 *     const lines: string[] = [];
 *     const recording = recordBoard(board, (line) => lines.push(line));
 *     const reader = createReader(recording, { driver, executor: recording.i2c(pins) }, events);
 *     reader.open(() => {});
 *     … time goes by …
 *     recording.end();
 *
 *     const replay = replayBoard(lines);
 *     const again = createReader(replay, { driver: another, executor: replay.i2c(pins) }, events);
 *     again.open(() => {});
 *     replay.run();
 *
 * A line is a JSON object of at most 4096 characters. `ask`: the firmware asked for that (bus, run, timer, cancel, watch,
 * read, write …), with what it `got` where that is not in a later event; the replay checks that it asks for the same in
 * the same order. `event`: something came (done: an outcome; timer; edge), `of` the asking with that number `n`, at the
 * board's time `t` in us where that is another one than the line before knew, `within` a call that had not returned.
 * `now`: the clock was read and had gone on. `mark`: something was done from outside that no board knows of (a sensor was
 * closed, a runtime stopped). `piece`: what is too long for a line. `end`: how many lines came before; without it, a
 * transcript is cut off.
 *
 * What comes to the firmware another way is not the board's: a link (simulator/transcript-link.ts records one), flash
 * memory, keys and random bytes are to be given to the replayed firmware as they were given to the recorded one.
 */
export { LINE_LENGTH, TranscriptError } from "./transcript-lines.ts";
export { type Recording, type RecordingTape, recordBoard } from "./transcript-record.ts";
export { type Replay, type ReplayTape, replayBoard } from "./transcript-replay.ts";
