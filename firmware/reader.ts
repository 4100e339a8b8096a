/**
 * Reads one chip: opens it, polls it by its data-ready line or by time, recovers it, drains it at the end.
 * One chain of steps at a time; every frame is handed over before the next poll fills it again.
 */
import type { Board, Executor, Pin, Target } from "../boards/board.ts";
import {
  clearFrame,
  type Driver,
  FAULT_GIVEN_UP,
  FAULT_IDENTITY,
  type Fault,
  type Frame,
  type Identity,
  type Step,
  tell,
} from "../drivers/driver.ts";
import { createRetry, GIVE_UP_AFTER } from "./retry.ts";
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
  /**
   * Once for each new fault, not again while it lasts, and at most four before a poll that goes well. After 30 s without
   * one a FAULT_GIVEN_UP: the last that is told before the chip comes back.
   */
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
  /**
   * Performs a driver's step between polls (reconfigure, selfTest), then `done` with its frame. Where another chip answered
   * at the last opening nothing is done to it, and the frame holds a FAULT_IDENTITY.
   */
  perform(step: Step, done: (frame: Frame) => void): void;
  /**
   * Stops the chip, hands over what it still held, then calls `done`. A stop that times out is done once more, the bus freed
   * before; another chip, which answered at the last opening, is left alone.
   */
  close(done: () => void): void;
}

/** Polls that fail in a row before the chip is opened anew. */
const FAILURES = 3;
/**
 * A poll that failed is repeated after this, ms, or sooner where the chip is polled more often; so are the polls of one that
 * was opened anew, until it is read: a thermometer that is polled once a minute is back with its value and not a minute later.
 */
const POLL_AGAIN = 1000;
/** Different faults that are told before a poll that goes well. */
const MOST_TOLD = 4;

type State = "closed" | "opening" | "waiting" | "running" | "closing";

interface Job {
  readonly step: Step;
  readonly done: (frame: Frame) => void;
}

export function createReader(board: Board, attachment: Attachment, events: ReaderEvents): Reader {
  const driver = attachment.driver;
  const executor = attachment.executor;
  const frame = driver.createFrame();
  const edges: Edges = { count: 0, at: 0 };
  const jobs: Job[] = [];
  const retry = createRetry();
  let state: State = "closed";
  let identity: Identity | null = null;
  let busy = false;
  let edgeWaits = false;
  let failures = 0;
  /** Board clock at the next opening, us, while it is waited for. */
  let openAt = 0;
  /** A chain timed out, and nothing was done about the bus since. */
  let stuck = false;
  /** The last recovery did not free it. */
  let held = false;
  const told: string[] = [];
  let lastFault = "";
  let wasOpen = false;
  /** It was opened anew, and nothing was read since. */
  let unread = false;
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
  const runChain = createStepRunner(board, executor, target, edges);

  const report = (): boolean => {
    const faults = frame.faults;
    for (let i = 0; i < faults.length; i++) {
      lastFault = faults[i].message;
      if (retry.givenUp || told.length === MOST_TOLD || told.indexOf(lastFault) >= 0) continue;
      told.push(lastFault);
      events.onFault(faults[i]);
    }
    return faults.length > 0;
  };
  /** It failed, perhaps for so long that this is to be told. An event has room for the first 64 bytes. */
  const failed = (): void => {
    if (!retry.failed(board.now())) return;
    const advice = held ? "a chip holds SDA, cut its power" : "check power and wiring";
    const message = `${driver.model}: given up after ${GIVE_UP_AFTER / 1000} s; ${advice}; tried on. Last: ${lastFault}`;
    events.onFault({ code: FAULT_GIVEN_UP, message: message });
  };
  /** Another chip stands there: nothing is written to it. */
  const refused = (): boolean => identity !== null && identity.verdict === "refused";
  const hasSamples = (): boolean => {
    for (let i = 0; i < frame.channels.length; i++) if (frame.channels[i].count > 0) return true;
    return false;
  };

  // next() decides what this chip's bus does now; the helpers below are its arms and call back into it.
  const arms: { next: () => void } = { next: () => {} };

  const run = (step: Step, done: (timedOut: boolean) => void): void => {
    busy = true;
    cancelTimer();
    runChain(step, frame, (timedOut) => {
      busy = false;
      if (timedOut) stuck = true;
      done(timedOut);
    });
  };
  /** Frees the bus, once, where a chain found it stuck; then goes on. */
  const free = (then: () => void): void => {
    if (!stuck || executor.recover === undefined) {
      stuck = false;
      then();
      return;
    }
    stuck = false;
    busy = true;
    executor.recover((isFree) => {
      busy = false;
      held = !isFree;
      then();
    });
  };
  const wait = (ms: number, then: () => void): void => {
    cancelTimer();
    cancelTimer = board.timer(ms, then);
  };
  /** The chip lost its state, or does not answer: to be opened anew. */
  const lose = (): void => {
    state = "waiting";
    openAt = board.now() + retry.delay() * 1000;
  };

  const poll = (): void => {
    edgeWaits = false;
    run(driver.poll(), (timedOut) => {
      // A loss or a reading that went wrong beside others is told, and reading goes on.
      const read = hasSamples();
      if (read) unread = false;
      const faulty = report();
      const bad = faulty && !read;
      if (!faulty) told.splice(0, told.length);
      events.onFrame(frame);
      failures = bad ? failures + 1 : 0;
      if (bad || timedOut || frame.restart) failed();
      else retry.polled(board.now(), read);
      if (state === "running" && (frame.restart || timedOut || failures >= FAILURES)) lose();
      arms.next();
    });
  };
  const open = (done: ((opened: boolean) => void) | null): void => {
    state = "opening";
    failures = 0;
    run(driver.open(), (timedOut) => {
      if (!timedOut) held = false;
      if (frame.identity !== null) identity = frame.identity;
      const bad = report() || frame.identity === null || refused();
      if (bad) {
        failed();
        if (state === "opening") lose();
      } else {
        if (wasOpen) events.onRestart();
        unread = wasOpen;
        wasOpen = true;
        retry.opened(board.now());
        if (state === "opening") state = "running";
      }
      if (done !== null) done(!bad);
      arms.next();
    });
  };
  const finished = (): void => {
    state = "closed";
    cancelTimer();
    cancelWatch();
    const done = closed;
    closed = null;
    if (done !== null) done();
  };
  const finish = (again: boolean): void => {
    run(driver.close(), (timedOut) => {
      report();
      events.onFrame(frame);
      if (timedOut && again) free(() => finish(false));
      else finished();
    });
  };

  arms.next = (): void => {
    if (busy || state === "closed") return;
    if (state === "closing") {
      if (refused()) finished();
      else free(() => finish(true));
      return;
    }
    const job = jobs.shift();
    if (job !== undefined && refused()) {
      clearFrame(frame);
      tell(frame, FAULT_IDENTITY, driver.model, "another chip stands there; nothing is done to it");
      job.done(frame);
      arms.next();
    } else if (job !== undefined) {
      run(job.step, (timedOut) => {
        report();
        // what a test or a change took out of the chip, or knows to be lost, belongs to the record
        events.onFrame(frame);
        if (state === "running" && (frame.restart || timedOut)) lose();
        job.done(frame);
        arms.next();
      });
    } else if (state === "waiting") {
      wait(Math.max(0, (openAt - board.now()) / 1000), () => {
        if (state !== "waiting" || busy) return;
        free(() => {
          if (state === "waiting") open(null);
          else arms.next();
        });
      });
    } else if (edgeWaits) {
      poll();
    } else {
      wait(failures > 0 || unread ? Math.min(driver.pollEvery, POLL_AGAIN) : driver.pollEvery, () => {
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
      retry.begin();
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
