/** A chip whose LED currents the board sets by itself (light.ts): when, by which step, and what is told of it. Device side. */
import type { Driver, Frame, Step } from "../drivers/driver.ts";
import { type Currents, createLightControl, type LightControl } from "./light.ts";

export interface Lighting {
  /** A poll's frame of the driver in use. true: other currents are wanted: `change`, not within the poll, gives the step. */
  take(frame: Frame): boolean;
  /** The step that changes them, after which `changed` is to be called; null: there is nothing to change, or the chip cannot. */
  change(): Step | null;
  /** Tells which LEDs have another current than before. */
  changed(): void;
  /** The chip in another configuration. */
  use(driver: Driver): void;
  /** The currents stay as they are: somebody has set them. */
  hold(): void;
}

/** mA, by LED; undefined: the chip has none, or does not say. */
const currentsOf = (driver: Driver): Currents | undefined =>
  ((driver.configuration ?? {}) as { readonly ledCurrent?: Currents }).ledCurrent;

/** `limit`: mA. `onCurrent`: the LED of the channel at `place` has this current from here on, mA. */
export function createLighting(
  first: Driver,
  limit: number,
  onCurrent: (place: number, current: number) => void,
): Lighting {
  const controlOf = (its: Driver): LightControl | null => {
    const currents = currentsOf(its);
    return currents === undefined ? null : createLightControl(its.channels(), currents, limit);
  };
  let driver = first;
  let control = controlOf(first);
  let wanted: Currents | null = null;
  let before: Currents = {};
  return {
    take(frame) {
      const currents = currentsOf(driver);
      if (control === null || currents === undefined) return false;
      wanted = control.take(frame, currents);
      return wanted !== null;
    },
    change() {
      if (control === null || wanted === null) return null;
      before = currentsOf(driver) ?? wanted;
      let step: Step | null = null;
      try {
        step = driver.reconfigure(Object.assign({}, driver.configuration, { ledCurrent: wanted }));
      } catch (_error) {
        // a chip that has no whole milliamperes
      }
      wanted = null;
      if (step === null) control = null;
      return step;
    },
    changed() {
      const now = currentsOf(driver) ?? before;
      const declared = driver.channels();
      const told: string[] = [];
      for (let i = 0; i < declared.length; i++) {
        const led = declared[i].role ?? "";
        if (now[led] === undefined || now[led] === before[led] || told.indexOf(led) >= 0) continue;
        told.push(led);
        onCurrent(i, now[led]);
      }
    },
    use(next) {
      driver = next;
      wanted = null;
      if (control !== null) control = controlOf(next);
    },
    hold() {
      control = null;
    },
  };
}
