/**
 * Reads one chip: opens it, polls it by its data-ready line or by time, recovers it, drains it at the end.
 * One chain of steps at a time; every frame is handed over before the next poll fills it again.
 */
import type { Board, Executor, Pin, Target } from "../boards/board.ts";
import type { Driver, Fault, Frame, Identity, Step } from "../drivers/driver.ts";
import { createStepRunner, type Edges } from "./steps.ts";

/** How a chip hangs on a board. */
export interface Attachment {
  readonly driver: Driver;
  readonly executor: Executor;
  /** SPI select pin. */
  readonly select?: Pin;
  /** Data-ready line. */
  readonly interrupt?: Pin;
  readonly pins?: Readonly<Record<string, Pin>>;
}

export interface ReaderEvents {
  /** A poll's frame; valid until the callback returns. */
  readonly onFrame: (frame: Frame) => void;
  /** Once for each new fault, not again while it lasts. */
  readonly onFault: (fault: Fault) => void;
  /** The chip was opened again: samples between are lost in a number that nobody knows. */
  readonly onRestart: () => void;
}

export interface Reader {
  readonly identity: Identity | null;
  /** It is not closed, nor about to be. */
  readonly running: boolean;
  /**
   * Opens the chip and goes on to poll it. `done` is called once, after the first attempt, with whether it did; failed ones
   * are repeated.
   */
  open(done: (opened: boolean) => void): void;
  /** Performs a driver's step between polls (reconfigure, selfTest), then `done` with its frame. */
  perform(step: Step, done: (frame: Frame) => void): void;
  /** Stops the chip, hands over what it still held, then calls `done`. */
  close(done: () => void): void;
}

/** Polls that fail in a row before the chip is opened anew. */
const FAILURES = 3;
/** Waiting before an opening is repeated, ms: doubled each time up to the limit. */
const RETRY_FIRST = 100;
const RETRY_LIMIT = 10_000;

type State = "closed" | "opening" | "waiting" | "running" | "closing";

interface Job {
  readonly step: Step;
  readonly done: (frame: Frame) => void;
}

export function createReader(board: Board, attachment: Attachment, events: ReaderEvents): Reader {
  const driver = attachment.driver;
  const frame = driver.createFrame();
  const edges: Edges = { count: 0, at: 0 };
  const jobs: Job[] = [];
  let state: State = "closed";
  let identity: Identity | null = null;
  let busy = false;
  let edgeWaits = false;
  let failures = 0;
  let retry = RETRY_FIRST;
  let lastFault = "";
  let wasOpen = false;
  let closed: (() => void) | null = null;
  let cancelTimer = (): void => {};
  let cancelWatch = (): void => {};

  const target: Target = Object.assign(
    { model: driver.model, maxHz: driver.maxHz },
    driver.address === undefined ? null : { address: driver.address },
    driver.spiMode === undefined ? null : { spiMode: driver.spiMode },
    attachment.select === undefined ? null : { select: attachment.select },
    attachment.pins === undefined ? null : { pins: attachment.pins },
  );
  const runChain = createStepRunner(board, attachment.executor, target, edges);

  const report = (): boolean => {
    const faults = frame.faults;
    for (let i = 0; i < faults.length; i++) {
      if (faults[i].message !== lastFault) {
        lastFault = faults[i].message;
        events.onFault(faults[i]);
      }
    }
    if (faults.length === 0) lastFault = "";
    return faults.length > 0;
  };

  // next() decides what this chip's bus does now; the helpers below are its arms and call back into it.
  const arms: { next: () => void } = { next: () => {} };

  const run = (step: Step, done: () => void): void => {
    busy = true;
    cancelTimer();
    runChain(step, frame, () => {
      busy = false;
      done();
    });
  };
  const wait = (ms: number, then: () => void): void => {
    cancelTimer();
    cancelTimer = board.timer(ms, then);
  };

  const poll = (): void => {
    edgeWaits = false;
    run(driver.poll(), () => {
      const failed = report();
      events.onFrame(frame);
      failures = failed ? failures + 1 : 0;
      if (state === "running" && (frame.restart || failures >= FAILURES)) state = "waiting";
      arms.next();
    });
  };
  const open = (done: ((opened: boolean) => void) | null): void => {
    state = "opening";
    failures = 0;
    run(driver.open(), () => {
      if (frame.identity !== null) identity = frame.identity;
      const failed = report() || frame.identity === null || frame.identity.verdict === "refused";
      if (failed) {
        if (state === "opening") state = "waiting";
      } else {
        if (wasOpen) events.onRestart();
        wasOpen = true;
        retry = RETRY_FIRST;
        if (state === "opening") state = "running";
      }
      if (done !== null) done(!failed);
      arms.next();
    });
  };
  const finish = (): void => {
    run(driver.close(), () => {
      report();
      events.onFrame(frame);
      state = "closed";
      cancelTimer();
      cancelWatch();
      const done = closed;
      closed = null;
      if (done !== null) done();
    });
  };

  arms.next = (): void => {
    if (busy || state === "closed") return;
    if (state === "closing") {
      finish();
      return;
    }
    const job = jobs.shift();
    if (job !== undefined) {
      run(job.step, () => {
        report();
        // what a test or a change took out of the chip, or knows to be lost, belongs to the record
        events.onFrame(frame);
        if (state === "running" && frame.restart) state = "waiting";
        job.done(frame);
        arms.next();
      });
    } else if (state === "waiting") {
      // The chip lost its state, or does not answer: open it anew, less and less often.
      const delay = retry;
      retry = Math.min(2 * retry, RETRY_LIMIT);
      wait(delay, () => {
        if (state === "waiting" && !busy) open(null);
      });
    } else if (edgeWaits) {
      poll();
    } else {
      wait(driver.pollEvery, () => {
        if (state === "running" && !busy) poll();
      });
    }
  };

  return {
    get identity() {
      return identity;
    },
    get running() {
      return state !== "closed" && state !== "closing";
    },
    open(done) {
      if (state !== "closed") throw new Error(`${driver.model}: opened twice; close it first`);
      if (attachment.interrupt !== undefined && driver.dataReady !== null) {
        cancelWatch = board.watch(attachment.interrupt, driver.dataReady, (at) => {
          edges.count++;
          edges.at = at;
          edgeWaits = true;
          if (state === "running" && !busy) poll();
        });
      }
      open(done);
    },
    perform(step, done) {
      jobs.push({ step, done });
      if (state === "running") arms.next();
    },
    close(done) {
      if (state === "closed") {
        done();
        return;
      }
      const earlier = closed;
      closed = (): void => {
        if (earlier !== null) earlier();
        done();
      };
      if (state === "closing") return;
      state = "closing";
      arms.next();
    },
  };
}
