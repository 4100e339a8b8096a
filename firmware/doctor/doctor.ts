/**
 * The doctor of any board: buses, who is there, self-tests, ten seconds of polling, noise of still signals, clocks. Of chips
 * with electrodes it uses their own test signals and looks at what they say of their leads; nothing of it needs a person.
 * Device side.
 */
import type { Board } from "../../boards/board.ts";
import { FLAG_SATURATED, FLAG_SETTLING, hexByte } from "../../drivers/driver.ts";
import { judgeClock, type Witness } from "./clock.ts";
import type { Finding } from "./finding.ts";
import { ANY_OSCILLATOR, judgeEdges, judgeTally, witnessOf } from "./judge.ts";
import { type DoctorBus, type Member, type Scan, scanBus } from "./scan.ts";
import {
  type Absence,
  createStillness,
  createSubject,
  type DoctorChip,
  nameOf,
  type Stillness,
  type Subject,
} from "./subject.ts";
import { unfinished, within } from "./within.ts";

export type { Finding, Verdict } from "./finding.ts";
export type { DoctorBus } from "./scan.ts";
export type { DoctorChip } from "./subject.ts";

/** DESIGN.md, "Safety". Whoever shows findings says it once, before them. */
export const SAFETY =
  "Never connect electrodes to a person while any board, laptop or instrument attached is on mains without medical-grade " +
  "isolation; use battery and WiFi, or an isolated USB link.";

export interface DoctorPlan {
  readonly buses: readonly DoctorBus[];
  readonly chips: readonly DoctorChip[];
}

/** How long chips are watched, and their still signals, s. */
export const WATCH = 10;
const STILL = 4;

/** A bus whose operations do not end. */
const unanswered = (bus: DoctorBus): Scan => ({ finding: unfinished(bus.name), found: [], alive: false });

interface Examined {
  readonly chip: DoctorChip;
  readonly subject: Subject;
}

/** One after the other; `each` calls its `next` once. */
const inTurn = <T>(list: readonly T[], each: (one: T, next: () => void) => void, done: () => void): void => {
  let place = 0;
  const arms: { next: () => void } = { next: () => {} };
  arms.next = (): void => {
    if (place === list.length) done();
    else each(list[place++], arms.next);
  };
  arms.next();
};

/**
 * Examines a board: about 15 s, and 10 s more for each thing that hangs. Its chips must not be in use; they are closed at the
 * end. `tell` is called with each finding as it comes, `done` once.
 */
export const examine = (board: Board, plan: DoctorPlan, tell: (finding: Finding) => void, done: () => void): void => {
  const scans: { name: string; scan: Scan }[] = [];
  const open: Examined[] = [];

  const membersOf = (bus: DoctorBus): Member[] => {
    const members: Member[] = [];
    plan.chips.forEach((chip) => {
      const driver = chip.attachment.driver;
      const address = driver.address;
      if (chip.bus !== bus.name || address === undefined) return;
      members.push({ name: nameOf(chip), address: address, addresses: chip.addresses ?? [], maxHz: driver.maxHz });
    });
    members.sort((a, b) => a.address - b.address);
    return members;
  };

  const absenceOf = (chip: DoctorChip): Absence | null => {
    const address = chip.attachment.driver.address;
    const own = scans.filter((one) => one.name === chip.bus);
    if (own.length === 0 || address === undefined || own[0].scan.found.indexOf(address) >= 0) return null;
    const measured = `nobody answers at ${hexByte(address)}`;
    const others = (chip.addresses ?? []).filter((one) => own[0].scan.found.indexOf(one) >= 0);
    if (others.length === 0) return { measured: measured, words: "look at its supply and its wires" };
    const other = hexByte(others[0]);
    return {
      measured: `${measured}, somebody does at ${other}`,
      words: `look at its address pin, or set address ${other} in the configuration`,
    };
  };

  const still = (): void => {
    const all: Stillness[] = [];
    open.forEach((one) => {
      const stillness = createStillness(board, one.chip, FLAG_SETTLING | FLAG_SATURATED, tell);
      if (stillness !== null) all.push(stillness);
    });
    if (all.length === 0) {
      done();
      return;
    }
    inTurn(
      all,
      (one, next) => one.open(next),
      () => {
        board.timer(STILL * 1000, () => inTurn(all, (one, next) => one.end(next), done));
      },
    );
  };

  const judge = (): void => {
    const witnesses: Witness[] = [];
    open.forEach((one) => {
      const witness = witnessOf(one.subject.name, one.subject.tally, one.chip.oscillator ?? ANY_OSCILLATOR);
      if (witness !== null) witnesses.push(witness);
    });
    const clock = judgeClock(witnesses);
    open.forEach((one) => {
      const subject = one.subject;
      const attachment = one.chip.attachment;
      judgeTally(
        subject.name,
        subject.tally,
        subject.faults,
        WATCH,
        one.chip.oscillator ?? ANY_OSCILLATOR,
        clock.speed,
        one.chip.leads === true,
        tell,
      );
      if (attachment.interrupt !== undefined && attachment.driver.dataReady !== null) {
        judgeEdges(subject.name, subject.edges, WATCH, tell);
      }
    });
    if (clock.finding !== null) tell(clock.finding);
  };

  const watch = (): void => {
    if (open.length === 0) {
      done();
      return;
    }
    open.forEach((one) => {
      one.subject.watch();
    });
    board.timer(WATCH * 1000, () =>
      inTurn(
        open,
        (one, next) => one.subject.close(next),
        () => {
          judge();
          still();
        },
      ),
    );
  };

  const meet = (chip: DoctorChip, next: () => void): void => {
    const own = scans.filter((one) => one.name === chip.bus);
    if (own.length > 0 && !own[0].scan.alive) {
      // the bus's finding says so
      next();
      return;
    }
    const subject = createSubject(board, chip, tell);
    subject.open(absenceOf(chip), (opened) => {
      if (!opened) {
        subject.close(next);
        return;
      }
      open.push({ chip: chip, subject: subject });
      subject.selfTest(next);
    });
  };

  const look = (bus: DoctorBus, next: () => void): void => {
    let scan: Scan | null = null;
    within(
      board,
      (end) =>
        scanBus(board, bus, membersOf(bus), (found) => {
          scan = found;
          end();
        }),
      () => {
        const known = scan ?? unanswered(bus);
        scans.push({ name: bus.name, scan: known });
        tell(known.finding);
        next();
      },
    );
  };

  inTurn(plan.buses, look, () => inTurn(plan.chips, meet, watch));
};
