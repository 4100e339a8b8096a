/** One chip under examination: opened, tested, watched, closed, by the same reader that a node has. Device side. */
import type { Board } from "../../boards/board.ts";
import type { Block, Driver, Fault, Measurement, Step } from "../../drivers/driver.ts";
import { type Attachment, createReader, type Reader } from "../reader.ts";
import { good, notGood, partsOf, type Tell } from "./finding.ts";
import { judgeNoise, judgeSelfTest, type Oscillator } from "./judge.ts";
import { createNoiseMeter, type NoiseFigure } from "./noise.ts";
import { createTally, type Tally } from "./tally.ts";
import { unfinished, within } from "./within.ts";

/** A chip of the configuration, and what its data sheet says that a driver does not. */
export interface DoctorChip {
  readonly attachment: Attachment;
  /** For a person; the model where absent. Tells two of a model apart. */
  readonly name?: string;
  /** Name of its I2C bus among the doctor's; absent on SPI and analog. */
  readonly bus?: string;
  /** 7-bit addresses that it can have. */
  readonly addresses?: readonly number[];
  readonly oscillator?: Oscillator;
  /** It looks after electrodes in this configuration. */
  readonly leads?: boolean;
  /** The same chip where its signal is still (inputs shorted by its own switches), and how much noise it has there. */
  readonly still?: { readonly driver: Driver; readonly figures: readonly NoiseFigure[] };
}

/** Nobody answers at a chip's address. */
export interface Absence {
  readonly measured: string;
  readonly words: string;
}

export interface Subject {
  readonly name: string;
  /** `done` once: whether it is open. `absent`: the scan did not find it, and what that may mean; null: it did. */
  open(absent: Absence | null, done: (opened: boolean) => void): void;
  selfTest(done: () => void): void;
  /** From now on what comes is counted; the data-ready edges too. */
  watch(): void;
  readonly tally: Tally;
  readonly edges: number;
  /** Those before it was watched. */
  readonly faults: readonly Fault[];
  /** `done` once, also where the chip does not answer. */
  close(done: () => void): void;
}

export const nameOf = (chip: DoctorChip): string => chip.name ?? chip.attachment.driver.model;

export const createSubject = (board: Board, chip: DoctorChip, tell: Tell): Subject => {
  const attachment = chip.attachment;
  const driver = attachment.driver;
  const name = nameOf(chip);
  const faults: Fault[] = [];
  let hangs = false;
  let tally = createTally(driver);
  let watching = false;
  let edges = 0;
  let cancelWatch = (): void => {};
  // A reader closes what it tried to open; to a chip that is another one nothing may be written.
  const guarded: Driver = Object.assign({}, driver, {
    close: (): Step => {
      const identity = reader.identity;
      return identity !== null && identity.verdict === "refused" ? { ops: [] } : driver.close();
    },
  });
  const reader: Reader = createReader(board, Object.assign({}, attachment, { driver: guarded }), {
    onFrame: (frame) => {
      if (watching) tally.take(frame);
    },
    onFault: (fault) => {
      if (watching) tally.fault(fault);
      else faults.push(fault);
    },
    onRestart: () => {
      if (watching) tally.restart();
    },
  });
  const late = (what: string): void => {
    // what hangs once hangs again
    if (!hangs) tell(unfinished(`${name} ${what}`));
    hangs = true;
  };

  const identify = (absent: Absence | null, opened: boolean): void => {
    const identity = reader.identity;
    const what = `${name} identity`;
    if (opened && identity !== null) {
      const sure = identity.verdict === "confirmed" ? "" : ` (${identity.verdict})`;
      tell(good(what, `${identity.read}${sure}`, null));
    } else if (absent !== null) {
      tell(notGood("bad", what, absent.measured, null, absent.words));
    } else {
      const parts = partsOf(faults.length > 0 ? faults[0].message : "it did not open");
      tell(notGood("bad", what, parts.what, null, parts.words));
    }
  };

  return {
    name: name,
    get tally() {
      return tally;
    },
    faults: faults,
    get edges() {
      return edges;
    },
    open(absent, done) {
      let opened = false;
      within(
        board,
        (end) =>
          reader.open((well) => {
            opened = well;
            end();
          }),
        (over) => {
          if (over) late("identity");
          else identify(absent, opened);
          done(opened);
        },
      );
    },
    selfTest(done) {
      let measurements: Measurement[] = [];
      let told: Fault[] = [];
      within(
        board,
        (end) =>
          reader.perform(driver.selfTest(), (frame) => {
            // the frame is filled again
            measurements = frame.measurements.slice();
            told = frame.faults.slice();
            end();
          }),
        (over) => {
          if (over) late("self-test");
          else judgeSelfTest(name, measurements, told, tell);
          done();
        },
      );
    },
    watch() {
      tally = createTally(driver);
      watching = true;
      if (attachment.interrupt === undefined || driver.dataReady === null) return;
      cancelWatch = board.watch(attachment.interrupt, driver.dataReady, () => {
        edges++;
      });
    },
    close(done) {
      watching = false;
      cancelWatch();
      within(
        board,
        (end) => reader.close(end),
        (over) => {
          if (over) late("close");
          done();
        },
      );
    },
  };
};

export interface Stillness {
  /** `done` once: whether it is open. */
  open(done: (opened: boolean) => void): void;
  /** Closes it, and says what there is to say. */
  end(done: () => void): void;
}

const physical = (driver: Driver, channel: string, raw: number): number => {
  let scale = 0;
  driver.channels().forEach((one) => {
    if (one.name !== channel) return;
    scale = one.mul;
    for (let i = one.exp10; i < 0; i++) scale /= 10;
    for (let i = 0; i < one.exp10; i++) scale *= 10;
  });
  return raw * scale;
};

/** The noise of a chip's still signal. `flags`: blocks that have one of these do not count. */
export const createStillness = (board: Board, chip: DoctorChip, flags: number, tell: Tell): Stillness | null => {
  const still = chip.still;
  if (still === undefined) return null;
  const name = nameOf(chip);
  const channels = still.driver.channels();
  // stretches of a second
  const meters = channels.map((one) => createNoiseMeter(Math.max(3, Math.round(one.rate))));
  const attachment: Attachment = Object.assign({}, chip.attachment, { driver: still.driver });
  let open = false;
  const reader = createReader(board, attachment, {
    onFrame: (frame) => {
      if (!open) return;
      frame.channels.forEach((block: Block, i) => {
        if ((block.flags & flags) === 0) meters[i].push(block);
      });
    },
    onFault: () => {},
    onRestart: () => {},
  });
  return {
    open: (done) =>
      within(
        board,
        (end) =>
          reader.open((opened) => {
            open = opened;
            end();
          }),
        () => done(open),
      ),
    end(done) {
      open = false;
      within(
        board,
        (end) => reader.close(end),
        () => {
          still.figures.forEach((figure) => {
            let rms: number | null = null;
            channels.forEach((one, i) => {
              if (one.name === figure.channel) rms = meters[i].rms();
            });
            judgeNoise(name, figure, rms === null ? null : physical(still.driver, figure.channel, rms), tell);
          });
          done();
        },
      );
    },
  };
};
