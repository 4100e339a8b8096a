/**
 * The chips of a board: their readers, their channels, what they give into the packer and the vitals; one of them in another
 * configuration while the others go on. Device side.
 */
import type { Board } from "../boards/board.ts";
import {
  type Channel,
  type Driver,
  FAULT_CONFIGURATION,
  type Fault,
  FLAG_BUS_FAULT,
  type Frame,
} from "../drivers/driver.ts";
import {
  type ChannelDefinition,
  STATUS_DONE,
  STATUS_FAILED,
  STATUS_NOT_POSSIBLE,
  STATUS_REFUSED,
} from "../protocol/messages.ts";
import { defineChannel, type SensorPlan } from "./channels.ts";
import type { ChipControl, Done } from "./commands/host.ts";
import { type Contacts, createContacts } from "./contacts.ts";
import { swappedWords } from "./light-swap.ts";
import { createLighting } from "./lighting.ts";
import type { Packer } from "./packer.ts";
import { createRates } from "./rates.ts";
import { createReader, type Reader } from "./reader.ts";
import { createStuckWatch } from "./stuck.ts";
import type { Vitals } from "./vitals.ts";

export interface SensingEvents {
  /** The chip whose buffer is the first to be full was read to its end. */
  readonly onEmptied: () => void;
  /** The packer has no room for another poll. */
  readonly onFull: () => void;
  /** Samples of a channel were lost at the end of a segment, or within it: how many, or null. */
  readonly onLost: (channel: number, segment: number, lost: number | null) => void;
  readonly onFault: (channel: number, fault: Fault) => void;
  /**
   * A finger has gone from the light of a channel, or an electrode has come off; it is there again (settling), has a pulse or
   * a heart rate again (0): flags of event 3.
   */
  readonly onContact: (channel: number, flags: number) => void;
  /** The board has given the LED of a channel another current, mA, by itself. */
  readonly onCurrent: (channel: number, current: number) => void;
  /**
   * What the packer holds is of the channels as they were; `told`: to be called when that is sealed, with the new cfg, before
   * its birth.
   */
  readonly onChannels: (told: (cfg: number) => void) => void;
  /** May channels change, and give the `same` vitals or other ones? */
  readonly mayChange: (same: boolean) => boolean;
}

export interface Sensing {
  readonly chips: readonly ChipControl[];
  /** Id of the first vital, behind the chips' channels. */
  readonly firstVital: number;
  readonly contacts: Contacts;
  /** Looks whether the chips measure as fast as they say; to be called before each reading of the vitals. */
  lookAtRates(): void;
  /** Of all chips and vitals, as they are now. */
  definitions(): ChannelDefinition[];
  /** `done`: each chip has tried once. */
  open(done: () => void): void;
  /** Stops every chip, also one that is about to be opened in another configuration; for good. */
  close(done: () => void): void;
}

interface Chip extends ChipControl {
  readonly identity: Reader["identity"];
}

/** `ledLimit`: mA that automatic LED current keeps to. */
export function createSensing(
  board: Board,
  plans: readonly SensorPlan[],
  packer: Packer,
  vitals: Vitals,
  events: SensingEvents,
  ledLimit: number,
): Sensing {
  const chips: Chip[] = [];
  let firstVital = 0;
  let ending = false;
  const contacts = createContacts(vitals, plans.length, (sensor, place, flags) =>
    events.onContact(chips[sensor].first + place, flags),
  );
  const rates = createRates(
    plans.map((plan) => plan.attachment.driver),
    (sensor) => plans[sensor].recreate,
    vitals.rated,
    (sensor, place, fault) => events.onFault(chips[sensor].first + place, fault),
  );

  const rateOf = (plan: SensorPlan): number => {
    let most = 0;
    const declared = plan.attachment.driver.channels();
    for (let i = 0; i < declared.length; i++) if (declared[i].waveform) most = Math.max(most, declared[i].rate);
    return most;
  };
  /** Its samples come fastest. */
  let fastest = 0;
  for (let s = 1; s < plans.length; s++) if (rateOf(plans[s]) > rateOf(plans[fastest])) fastest = s;

  /** `stuck`: what the chip gives is no measurement. */
  const takeFrame = (
    sensor: number,
    declared: readonly Channel[],
    first: number,
    frame: Frame,
    stuck: boolean,
  ): void => {
    for (let i = 0; i < declared.length; i++) {
      if (stuck) vitals.interrupted(sensor, i, FLAG_BUS_FAULT);
      else vitals.take(sensor, i, frame.channels[i]);
    }
    for (let i = 0; i < declared.length; i++) {
      const block = frame.channels[i];
      const id = first + i;
      rates.take(sensor, i, block);
      const flags = block.flags | vitals.flags(sensor, i);
      if (!declared[i].waveform) {
        for (let k = 0; k < block.count; k++) packer.addValue(id, block.time, block.samples[k], flags);
      } else if (block.count > 0 || block.lost !== 0) {
        const segment = packer.segment(id);
        const lost = packer.addBlock(id, block, 1000000 / declared[i].rate, flags, vitals.quality(sensor, i));
        if (lost !== 0) events.onLost(id, segment, lost);
      }
    }
    if (packer.full) events.onFull();
    if (sensor === fastest) events.onEmptied();
  };
  const restarted = (sensor: number, declared: readonly Channel[], first: number): void => {
    for (let i = 0; i < declared.length; i++) {
      if (declared[i].waveform) events.onLost(first + i, packer.startSegment(first + i), null);
      vitals.interrupted(sensor, i, 0);
    }
  };

  const attach = (sensor: number): void => {
    const plan = plans[sensor];
    const first = firstVital;
    const lighting =
      plan.automaticLedCurrent === true
        ? createLighting(plan.attachment.driver, ledLimit, (place, current) => events.onCurrent(first + place, current))
        : null;
    const arms: { lighten: () => void } = { lighten: () => {} };
    const readerOf = (its: Driver): Reader => {
      const declared = its.channels();
      const watch = createStuckWatch(its, (place, fault) => events.onFault(first + place, fault));
      return createReader(board, Object.assign({}, plan.attachment, { driver: its }), {
        onFrame: (frame) => {
          takeFrame(sensor, declared, first, frame, watch.look(frame));
          // not in the middle of a poll
          if (lighting !== null && its === driver && lighting.take(frame)) board.timer(0, arms.lighten);
        },
        onFault: (fault) => events.onFault(first, fault),
        onRestart: () => {
          rates.begin(sensor, its);
          restarted(sensor, declared, first);
        },
      });
    };
    let driver = plan.attachment.driver;
    let reader = readerOf(driver);
    /** Between two readers. */
    let changing = false;

    arms.lighten = (): void => {
      const step = lighting === null || changing ? null : lighting.change();
      if (step !== null) reader.perform(step, () => lighting?.changed());
    };

    const replace = (next: Driver, use: () => void, began: (cfg: number) => void, done: Done): void => {
      changing = true;
      reader.close(() => {
        if (ending) {
          done(STATUS_FAILED);
          return;
        }
        reader = readerOf(next);
        changing = false;
        reader.open((opened) => {
          events.onChannels((cfg) => {
            driver = next;
            if (lighting !== null) lighting.use(next);
            use();
            contacts.forget(sensor);
            rates.begin(sensor, next);
            const declared = driver.channels();
            for (let i = 0; i < declared.length; i++) if (declared[i].waveform) packer.startSegment(first + i);
            began(cfg);
          });
          done(opened ? STATUS_DONE : STATUS_FAILED);
        });
      });
    };
    firstVital += driver.channels().length;
    chips.push({
      first: first,
      get driver() {
        return driver;
      },
      get identity() {
        return reader.identity;
      },
      get running() {
        return changing || reader.running;
      },
      start: (done) => reader.open(done),
      stop: (done) => reader.close(done),
      perform: (step, done) => reader.perform(step, done),
      holdCurrents: () => {
        if (lighting !== null) lighting.hold();
      },
      replace: (configuration, began, done) => {
        if (plan.recreate === undefined) {
          done(STATUS_NOT_POSSIBLE);
          return;
        }
        const next = plan.recreate(configuration);
        const channels = next.channels();
        const successor = vitals.prepare(sensor, Object.assign({}, plan, { channels: channels }));
        // the ids of the channels behind are theirs for the whole boot, and so are the vitals that alarms watch
        if (channels.length !== driver.channels().length) done(STATUS_NOT_POSSIBLE);
        else if (!events.mayChange(successor.same)) done(STATUS_REFUSED);
        else replace(next, successor.use, began, done);
      },
    });
  };
  for (let s = 0; s < plans.length; s++) attach(s);

  vitals.onSwapped = (sensor) => {
    const message = swappedWords(chips[sensor].driver, plans[sensor].recreate);
    events.onFault(chips[sensor].first, { code: FAULT_CONFIGURATION, message: message });
  };

  return {
    chips: chips,
    firstVital: firstVital,
    contacts: contacts,
    lookAtRates: rates.look,
    definitions() {
      const definitions: ChannelDefinition[] = [];
      for (let s = 0; s < chips.length; s++) {
        const declared = chips[s].driver.channels();
        for (let i = 0; i < declared.length; i++) {
          definitions.push(defineChannel(chips[s].first + i, declared[i], plans[s], chips[s].identity));
        }
      }
      return definitions.concat(vitals.definitions(firstVital));
    },
    open(done) {
      let waiting = chips.length;
      const one = (): void => {
        waiting--;
        if (waiting === 0) done();
      };
      for (let i = 0; i < chips.length; i++) chips[i].start(one);
    },
    close(done) {
      ending = true;
      let waiting = chips.length + 1;
      const one = (): void => {
        waiting--;
        if (waiting === 0) done();
      };
      for (let i = 0; i < chips.length; i++) chips[i].stop(one);
      one();
    },
  };
}
