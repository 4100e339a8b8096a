/**
 * A chip for who configures it: settings with their checks, driver and self-test put together. Device side: a board that
 * takes configurations carries it; one that was given a setup does without.
 */
import type { Chip, Core, Driver, Setup, Step, Wiring } from "./driver.ts";

/** What a chip's folder says of it. */
export interface ChipParts<C, S extends Setup, D extends Core<S>> {
  readonly chip: Omit<Chip<C>, "setup" | "create">;
  /** Checks a whole configuration. Throws Error: model, setting, value, what to do. */
  setup(configuration: C, wiring: Wiring): S;
  /** The driver.ts of the chip. */
  createDriver(setup: S): D;
  /** By the chip's own means, then `driver.resume()`; measurements into the frame. */
  selfTest(driver: D): Step;
}

/** Puts a chip together. */
export const createChip = <C, S extends Setup, D extends Core<S>>(parts: ChipParts<C, S, D>): Chip<C> => {
  const complete = (configuration: Partial<C>): C => Object.assign({}, parts.chip.defaults, configuration);
  const create = (configuration: Partial<C>, wiring: Wiring): Driver<C> => {
    let settings = complete(configuration);
    const core = parts.createDriver(parts.setup(settings, wiring));
    /** What was asked for last, and its setup: it holds as soon as the chip has that. */
    let asked = settings;
    let wanted = core.configuration;
    const steps = {
      get configuration() {
        if (core.configuration === wanted) settings = asked;
        return settings;
      },
      channels: core.channels,
      createFrame: core.createFrame,
      open: core.open,
      poll: core.poll,
      reconfigure: (next: C) => {
        const setup = parts.setup(next, wiring);
        // What was asked for before may hold already.
        settings = steps.configuration;
        asked = Object.assign({}, next);
        wanted = setup;
        return core.reconfigure(setup);
      },
      selfTest: () => parts.selfTest(core),
      close: core.close,
    };
    const driver: Driver<C> = Object.assign(steps, core.configuration.target);
    if (core.electrodesOff !== undefined) driver.electrodesOff = core.electrodesOff;
    return driver;
  };
  return Object.assign(
    {
      setup: (configuration: Partial<C>, wiring: Wiring) => parts.setup(complete(configuration), wiring),
      create: create,
    },
    parts.chip,
  );
};

/** Place of a setting's value in its list; an empty name there is a code that is not to be had. Throws Error. */
export const choose = (model: string, name: string, value: unknown, list: readonly unknown[]): number => {
  const index = list.indexOf(value);
  if (index >= 0 && value !== "") return index;
  throw new Error(`${model}: ${name} is ${value}; choose one of ${list.filter((one) => one !== "").join(", ")}`);
};
