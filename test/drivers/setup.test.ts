/** A board needs of a chip its driver.ts and a setup that came as JSON: it does then what the whole chip does. */
import { expect, test } from "vitest";
import type { Chip, Core, Driver, Setup, Step, Wiring } from "../../drivers/driver.ts";
import { CONVERTER, createBench } from "../../simulator/bench.ts";
import { type Subject, shake, subjects } from "./subjects.ts";

type CreateDriver = (setup: Setup) => Core;

const drivers = new Map<string, CreateDriver>();
for (const { folder } of subjects) {
  const { createDriver } = (await import(`../../drivers/${folder}/driver.ts`)) as { createDriver: CreateDriver };
  drivers.set(folder, createDriver);
}
const driverOf = ({ folder }: Subject) => drivers.get(folder)!;

/** As JSON carries it. */
const carried = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const wiringsOf = ({ chip }: Subject): Wiring[] => {
  const pins = { pins: chip.pins ?? [], inputs: chip.inputs ?? [] };
  if (chip.bus === "analog") return [{ ...pins, converter: CONVERTER }];
  const wired = { ...pins, interrupt: true };
  return chip.needsInterrupt ? [wired] : [wired, { ...pins, interrupt: false, maxRead: 30 }];
};

const cases = subjects.flatMap((subject) =>
  wiringsOf(subject).map((wiring) => ({
    name: `${subject.name}, ${wiring.interrupt ? "wired" : "not wired"}`,
    subject,
    wiring,
  })),
);

/** The chip as a board has it: no checks, no self-test, a setup out of JSON. */
function lean(subject: Subject): Chip<unknown> {
  const { chip } = subject;
  const create: Chip["create"] = (configuration, wiring) =>
    driverOf(subject)(carried(chip.setup(configuration, wiring))) as unknown as Driver;
  return { ...chip, create };
}

/** Everything that a driver asks for and says, opened, polled in time and late, on a bus that fails, without power, closed. */
function story(chip: Chip<unknown>, { emulated }: Subject, wiring: Wiring) {
  const bench = createBench(chip, emulated, {
    interrupt: wiring.interrupt ?? false,
    ...(wiring.maxRead && { maxRead: wiring.maxRead }),
  });
  shake(bench.emulator);
  const { board, clock, driver, emulator, frame } = bench;
  const told: unknown[] = [driver.channels(), driver.pollEvery, driver.dataReady, driver.model, driver.address];
  const listen = (step: Step): Step => ({
    ...step,
    next(outcome, into) {
      told.push(step.ops, step.pause);
      const next = step.next?.(outcome, into) ?? null;
      return next === null ? null : listen(next);
    },
  });
  const run = (step: Step) => {
    bench.run(listen(step));
    told.push(
      frame.channels.map(({ samples, ...block }) => ({ ...block, samples: samples.slice(0, block.count) })),
      structuredClone([frame.faults, frame.identity, frame.restart]),
    );
  };
  run(driver.open());
  for (const late of [1, 1, 1 / 2, 1, 7, 1]) {
    bench.wait(driver.pollEvery * late);
    run(driver.poll());
  }
  let operation = 0;
  board.busFault = () => (operation++ === 1 ? { kind: "timeout", after: 2 } : null);
  bench.wait(driver.pollEvery);
  run(driver.poll());
  board.busFault = null;
  bench.wait(driver.pollEvery);
  run(driver.poll());
  emulator.powerOn(clock.now);
  bench.wait(driver.pollEvery);
  run(driver.poll());
  run(driver.open());
  bench.wait(driver.pollEvery);
  run(driver.poll());
  run(driver.close());
  return told;
}

test.each(cases)("the setup of $name is plain data, as JSON carries it", ({ subject: { chip }, wiring }) => {
  const setup = chip.setup({}, wiring);
  expect(setup).toStrictEqual(carried(setup));
  expect(setup.target.model).toBe(chip.model);
  expect(setup.capacities).toHaveLength(setup.channels.length);
});

test.each(cases)("driver.ts alone does with it what the chip does: $name", ({ subject, wiring }) => {
  const whole = story(subject.chip, subject, wiring);
  expect(story(lean(subject), subject, wiring)).toEqual(whole);
  expect(whole.length).toBeGreaterThan(30);
});

test.each(cases)("another setup is taken as another configuration is: $name", ({ subject, wiring }) => {
  const { chip, folder } = subject;
  const core = driverOf(subject)(carried(chip.setup({}, wiring)));
  const driver = chip.create({}, wiring);
  for (const other of subjects.filter((one) => one.folder === folder)) {
    const setup = carried(other.chip.setup({}, wiring));
    const step = core.reconfigure(setup);
    expect(step?.ops).toEqual(driver.reconfigure(other.chip.defaults)?.ops);
    if (other === subject) expect(step?.ops).not.toBeUndefined();
  }
});
