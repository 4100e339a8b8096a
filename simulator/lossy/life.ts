/** One board through all its boots: its power goes at moments drawn before, and comes back; the truth of it is kept. */

import type { VirtualClock } from "../../boards/virtual-clock.ts";
import { equalBytes } from "../../protocol/constant-time.ts";
import { kidText } from "../../protocol/keys.ts";
import type { Random } from "../random.ts";
import type { BoardModel, RunningBoot } from "./boards.ts";
import type { Kept } from "./kept.ts";
import type { Network } from "./network.ts";
import { createPower, type Power } from "./power.ts";
import { type BootTruth, createTap, type SealedTruth } from "./truth.ts";
import { SECOND } from "./weather.ts";

export interface LifeOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly network: Network;
  readonly model: BoardModel;
  readonly kept: Kept;
  /** When it is switched on, us. */
  readonly from: number;
  /** When its power goes, us, rising. One that falls into the dark comes soon after the next boot. */
  readonly cuts: readonly number[];
  /** How long it stays away at most, us. */
  readonly dark: number;
}

export interface Life {
  readonly name: string;
  readonly model: BoardModel;
  readonly kept: Kept;
  readonly boots: readonly BootTruth[];
  /** null: its power is off. */
  readonly current: RunningBoot | null;
  /** Boots that ended before they had a number. */
  readonly stillborn: number;
  /** What no board may do: a seq sealed twice, a boot number used twice. */
  readonly violations: readonly string[];
}

const OFF_LEAST = 1 * SECOND;
/** Half of the cuts of a board with flash wait for an operation of it, as long as this; one of the next so many. */
const FLASH_PATIENCE = 60 * SECOND;
const FLASH_OPERATIONS = 12;
/** A cut that fell into the dark: so long after the boot. */
const EARLY_LEAST = 0.5 * SECOND;
const EARLY_MOST = 30 * SECOND;

interface Ledger extends BootTruth {
  readonly sealed: Map<number, SealedTruth>;
}

export function createLife(options: LifeOptions): Life {
  const { clock, random, network, model, kept } = options;
  const name = kidText(model.identity.kid);
  const boots: Ledger[] = [];
  const violations: string[] = [];
  const cuts = [...options.cuts];
  let current: RunningBoot | null = null;
  let stillborn = 0;
  let starts = 0;

  const planCut = (power: Power) => {
    const next = cuts.shift();
    if (next === undefined) return;
    const early = clock.now + EARLY_LEAST + random.uniform() * (EARLY_MOST - EARLY_LEAST);
    const within = random.uniform() < 0.5;
    power.clock.at(Math.max(next, early), () => {
      if (kept.flash === null || !within) {
        power.cut();
        return;
      }
      kept.flash.cutAfter(Math.floor(random.uniform() * FLASH_OPERATIONS));
      power.clock.at(clock.now + FLASH_PATIENCE, () => power.cut());
    });
  };
  const start = () => {
    const sealed = new Map<number, SealedTruth>();
    const startedAt = clock.now;
    let truth: Ledger | null = null;
    const tap = createTap((boot, seq, payload) => {
      // what the stack still does is done by nobody
      if (!power.on) return;
      const before = sealed.get(seq);
      if (before !== undefined) {
        const how = equalBytes(before.payload, payload) ? "the same" : "other";
        violations.push(`boot ${boot} seq ${seq} was sealed twice, with ${how} bytes`);
      }
      sealed.set(seq, { payload, at: clock.now });
    });
    const power = createPower(clock, () => {
      kept.flash?.powerOff();
      if (truth === null) {
        stillborn++;
        if (sealed.size > 0) violations.push(`${sealed.size} messages were sealed before their boot began`);
      } else {
        current?.advance();
        truth.endedAt = clock.now;
        truth.waiting = current?.runtime.outbox.count ?? 0;
      }
      current = null;
      network.gone(name);
      clock.at(clock.now + OFF_LEAST + random.uniform() * (options.dark - OFF_LEAST), start);
    });
    kept.flash?.powerOn();
    power.run(() => {
      planCut(power);
      const link = network.link(name, power);
      const entropy = random.fork(`boot ${starts++}`).bytes(16);
      const running = model.boot({ power, link, kept, entropy, tap });
      if (boots.some(({ boot }) => boot === running.boot)) violations.push(`boot ${running.boot} began twice`);
      truth = { boot: running.boot, startedAt, endedAt: null, waves: running.waves, sealed, waiting: 0 };
      boots.push(truth);
      current = running;
      running.runtime.start();
    });
  };
  clock.at(options.from, start);
  return {
    name,
    model,
    kept,
    boots,
    get current() {
      return current;
    },
    get stillborn() {
      return stillborn;
    },
    violations,
  };
}
