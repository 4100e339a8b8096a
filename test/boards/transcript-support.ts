/** A reader over a board, whichever: what it hands over, as text that two runs can be compared by. */
import type { Board } from "../../boards/board.ts";
import type { Driver } from "../../drivers/driver.ts";
import { createReader, type Reader } from "../../firmware/reader.ts";
import { ANALOG, CONVERTER, I2C_PINS, INTERRUPT, SELECT, SPI_PINS } from "../../simulator/bench.ts";
import type { Subject } from "../drivers/subjects.ts";

export interface Read {
  readonly reader: Reader;
  /** A line for each frame, fault and restart, all that they hold. */
  readonly told: string[];
}

/** Opens a chip, wired as on a bench. */
export function readOn(board: Board, { chip }: Pick<Subject, "chip">, wired: boolean): Read {
  const inputs = (chip.inputs ?? []).map((_, i) => `D${40 + i}`);
  const pins = chip.pins ?? [];
  const executor = {
    i2c: () => board.i2c(I2C_PINS),
    spi: () => board.spi(SPI_PINS),
    analog: () => board.analog({ pin: ANALOG, inputs }),
  }[chip.bus]();
  const driver = chip.create(
    {},
    {
      interrupt: wired,
      pins,
      inputs: chip.inputs ?? [],
      maxRead: executor.maxRead,
      ...(chip.bus === "analog" && { converter: CONVERTER }),
    },
  );
  const told: string[] = [];
  const attachment = {
    driver: driver as Driver,
    executor,
    pins: Object.fromEntries(pins.map((name, i) => [name, `D${30 + i}`])),
    ...(chip.bus === "spi" && { select: SELECT }),
    ...(wired && { interrupt: INTERRUPT }),
  };
  const reader = createReader(board, attachment, {
    onFrame: ({ channels, ...rest }) => {
      const blocks = channels.map(({ samples, ...block }) => [...samples.slice(0, block.count), block]);
      told.push(JSON.stringify([blocks, rest]));
    },
    onFault: (fault) => told.push(`fault ${fault.code} ${fault.message}`),
    onRestart: () => told.push("restart"),
  });
  reader.open((opened) => told.push(`opened ${opened}`));
  return { reader, told };
}
