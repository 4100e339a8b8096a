/** The board that `doctor --board simulated` examines: a node's three chips with a patient on them, in virtual time. */
import { type Crystal, createSimulatedBoard, type SimulatedBoard } from "../../boards/simulated.ts";
import { createVirtualClock, type VirtualClock } from "../../boards/virtual-clock.ts";
import type { Chip, Driver } from "../../drivers/driver.ts";
import type { I2cEmulator, SpiEmulator } from "../../drivers/emulator.ts";
import { chip as max30003 } from "../../drivers/max30003/chip.ts";
import { emulated as max30003Emulator } from "../../drivers/max30003/emulator.ts";
import { chip as max30102 } from "../../drivers/max30102/chip.ts";
import { emulated as max30102Emulator } from "../../drivers/max30102/emulator.ts";
import { chip as tmp117 } from "../../drivers/tmp117/chip.ts";
import { emulated as tmp117Emulator } from "../../drivers/tmp117/emulator.ts";
import type { DoctorChip, DoctorPlan } from "../../firmware/doctor/doctor.ts";
import type { Attachment } from "../../firmware/reader.ts";
import { createFaults, type FaultPlan, type Faults } from "../../simulator/faults.ts";
import { ECG_INTERRUPT, ECG_SELECT, I2C, PPG_INTERRUPT, SPI } from "../../simulator/node-runtime.ts";
import { createPatient } from "../../simulator/patient.ts";
import { createRandom } from "../../simulator/random.ts";
import * as figures from "./figures.ts";

type ChipName = "max30102" | "max30003" | "tmp117";
type By<T> = Partial<Record<ChipName, T>>;

export interface SimulatedOptions {
  readonly seed: number;
  /** Chips' oscillators over their nominal frequency; 1 where absent. */
  readonly oscillator?: By<number>;
  /** Noise over the data sheet's; 1 where absent. */
  readonly noise?: By<number>;
  /** Chips that are not there, or another one in their place. */
  readonly absent?: readonly ChipName[];
  readonly instead?: { readonly tmp117?: I2cEmulator };
  /** Data-ready lines that are not wired, though the configuration says so. */
  readonly unwired?: readonly ChipName[];
  /** The board's clock; absent: it is true. */
  readonly crystal?: Crystal;
  /** What goes wrong while it is examined, by the time since the beginning; absent: nothing. */
  readonly faults?: FaultPlan;
}

export interface SimulatedSubject {
  readonly clock: VirtualClock;
  readonly board: SimulatedBoard;
  readonly plan: DoctorPlan;
  readonly faults: Faults;
  readonly emulators: { readonly ppg: I2cEmulator; readonly thermometer: I2cEmulator; readonly ecg: SpiEmulator };
}

const BUS = `I2C ${I2C.data}, ${I2C.clock}`;

export function createSimulatedSubject(options: SimulatedOptions): SimulatedSubject {
  const clock = createVirtualClock();
  const board = createSimulatedBoard(clock, undefined, options.crystal);
  const random = createRandom(`${options.seed} doctor`);
  const optionsOf = (name: ChipName) => {
    const own = random.fork(name);
    const factor = options.noise?.[name] ?? 1;
    return { oscillator: options.oscillator?.[name] ?? 1, noise: () => factor * own.normal() };
  };
  const { signals, truth } = createPatient({ seed: options.seed, index: 0 });
  const { perfusionIndex } = truth;
  const { seed, faults: plan = [] } = options;
  const faults = createFaults({ plan, clock, board, index: 0, seed, light: { perfusionIndex } });
  const ppg = faults.create(max30102Emulator, optionsOf("max30102"), I2C) as I2cEmulator;
  const thermometer = faults.create(tmp117Emulator, optionsOf("tmp117"), I2C) as I2cEmulator;
  const ecg = faults.create(max30003Emulator, optionsOf("max30003")) as SpiEmulator;
  ppg.set("red", signals.red);
  ppg.set("infrared", signals.infrared);
  thermometer.set("temperature", signals.temperature);
  ecg.set("ecg", signals.ecg);

  const there = (name: ChipName) => !options.absent?.includes(name);
  const line = (name: ChipName, pin: string) => (options.unwired?.includes(name) ? undefined : pin);
  if (there("max30102")) board.attachI2c(I2C, ppg, line("max30102", PPG_INTERRUPT));
  if (there("tmp117")) board.attachI2c(I2C, options.instead?.tmp117 ?? thermometer);
  if (there("max30003")) board.attachSpi(SPI, ECG_SELECT, ecg, line("max30003", ECG_INTERRUPT));

  const chipOf = <C>(
    chip: Chip<C>,
    configuration: Partial<C>,
    wiring: Omit<Attachment, "driver">,
    figure: figures.Figures<unknown>,
    rest: Pick<DoctorChip, "bus" | "leads">,
  ): DoctorChip => {
    const create = (own: Partial<C>) => chip.create(own, { interrupt: wiring.interrupt !== undefined }) as Driver;
    const { still } = figure;
    return {
      attachment: { driver: create(configuration), ...wiring },
      addresses: chip.addresses,
      ...(figure.oscillator && { oscillator: figure.oscillator }),
      ...(still && { still: { driver: create(still.configuration as Partial<C>), figures: still.noise } }),
      ...rest,
    };
  };
  const i2c = faults.board.i2c(I2C);
  const chips = [
    chipOf(max30102, { sampleRate: 100 }, { executor: i2c, interrupt: PPG_INTERRUPT }, figures.max30102, { bus: BUS }),
    chipOf(
      max30003,
      { sampleRate: 256 },
      { executor: faults.board.spi(SPI), select: ECG_SELECT, interrupt: ECG_INTERRUPT },
      figures.max30003,
      { leads: true },
    ),
    chipOf(tmp117, {}, { executor: i2c }, figures.tmp117, { bus: BUS }),
  ];
  faults.start();
  return {
    clock,
    board,
    plan: { buses: [{ name: BUS, executor: i2c }], chips },
    faults,
    emulators: { ppg, thermometer, ecg },
  };
}
