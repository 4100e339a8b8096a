/** Who answers on an I2C bus. Device side. */
import type { Board, Executor, Target } from "../../boards/board.ts";
import { hexByte } from "../../drivers/driver.ts";
import { type Finding, good, notGood } from "./finding.ts";

/** One I2C bus of a board. */
export interface DoctorBus {
  /** For a person: "I2C D21, D22". */
  readonly name: string;
  readonly executor: Executor;
}

/** Who is expected on it. */
export interface Member {
  readonly name: string;
  readonly address: number;
  /** All that it can have. */
  readonly addresses: readonly number[];
  /** Bus clock at most, hz. */
  readonly maxHz: number;
}

export interface Scan {
  readonly finding: Finding;
  /** Addresses that acknowledge. */
  readonly found: readonly number[];
  /** Whether chips on it can be asked at all. */
  readonly alive: boolean;
}

/** 7-bit addresses that are not reserved (NXP UM10204, table 4). */
export const FIRST_ADDRESS = 0x08;
export const LAST_ADDRESS = 0x77;
/** Operations that end without an answer of the bus, one after the other, before it is taken for stuck. */
const SILENT = 3;
/** Where nobody is expected: what every I2C chip takes, hz. */
const ANY_HZ = 100000;

const list = (names: readonly string[]): string => names.join(", ");

const judge = (
  bus: DoctorBus,
  members: readonly Member[],
  found: readonly number[],
  stuck: boolean,
  freed: boolean,
): Finding => {
  const range = `${hexByte(FIRST_ADDRESS)} to ${hexByte(LAST_ADDRESS)}`;
  const names = list(members.map((one) => one.name));
  const expected = members.length === 0 ? null : list(members.map((one) => `${hexByte(one.address)} ${one.name}`));
  const left = names === "" ? "" : `; ${names} not examined`;
  if (stuck) {
    return notGood(
      "bad",
      bus.name,
      `stuck, ${SILENT} operations timed out${left}`,
      expected,
      "a chip holds SDA or SCL low, or a pull-up is missing: measure both lines at rest (they must be high), take the supply " +
        "away and give it again, then unplug one chip after the other",
    );
  }
  if (found.length === 0 && members.length > 0) {
    return notGood(
      "bad",
      bus.name,
      `nobody answers at ${range}${left}`,
      expected,
      "look for the supply at the chips, for SDA and SCL exchanged, and for the pull-ups",
    );
  }
  const measured = found.length === 0 ? `nobody answers at ${range}` : `${list(found.map(hexByte))} answered`;
  if (freed) {
    return notGood(
      "look",
      bus.name,
      `a chip held SDA low until it was clocked free; ${measured}`,
      expected,
      "was a read cut off by a reset? If it comes again, look for spikes on SCL and for a supply that drops",
    );
  }
  // who answers where a member could be instead is told with that member
  const known = (address: number): boolean =>
    members.some(
      (one) => one.address === address || (found.indexOf(one.address) < 0 && one.addresses.indexOf(address) >= 0),
    );
  const others = found.filter((address) => !known(address));
  // a member that does not answer has a finding of its own
  if (others.length === 0) return good(bus.name, measured, found.length < members.length ? null : expected);
  return notGood(
    "look",
    bus.name,
    measured,
    expected,
    `${list(others.map(hexByte))} is no sensor of the configuration: add it there, or leave it`,
  );
};

/**
 * Reads one byte at each address: that changes less in a foreign chip than a write. A bus that gives no answer is clocked free
 * once, where the board can do that. `done` is called once.
 */
export const scanBus = (board: Board, bus: DoctorBus, members: readonly Member[], done: (scan: Scan) => void): void => {
  const found: number[] = [];
  // a bus may keep the pace of the slowest that was ever asked on it
  let maxHz = members.length === 0 ? ANY_HZ : Infinity;
  members.forEach((one) => {
    maxHz = Math.min(maxHz, one.maxHz);
  });
  let silent = 0;
  let freed = false;
  const arms: { next: (address: number) => void } = { next: () => {} };
  const end = (stuck: boolean): void => {
    const finding = judge(bus, members, found, stuck, freed);
    done({ finding: finding, found: found, alive: !stuck && (found.length > 0 || members.length === 0) });
  };
  const start = (): void => {
    found.splice(0, found.length);
    silent = 0;
    arms.next(FIRST_ADDRESS);
  };
  const giveUp = (): void => {
    if (freed || bus.executor.recover === undefined) {
      end(true);
      return;
    }
    freed = true;
    // whether it is free, the next look shows
    bus.executor.recover(() => start());
  };
  arms.next = (address: number): void => {
    if (address > LAST_ADDRESS) {
      end(false);
      return;
    }
    const target: Target = { model: "scan", address: address, maxHz: maxHz };
    bus.executor.run(target, [{ read: 1 }], (outcome) => {
      const error = outcome.error;
      if (error === null) found.push(address);
      silent = error === null || error.kind === "nack" ? 0 : silent + 1;
      // not from within its own callback: boards that answer at once would pile up a hundred calls
      if (silent === SILENT) giveUp();
      else board.timer(0, () => arms.next(address + 1));
    });
  };
  start();
};
