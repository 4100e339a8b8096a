/** Every chip that can be emulated, by the name of its folder: `probe(emulators.tmp117)`. */
import { emulated as ad8232 } from "../drivers/ad8232/emulator.ts";
import { emulated as ads1292r } from "../drivers/ads1292r/emulator.ts";
import { emulated as max30003 } from "../drivers/max30003/emulator.ts";
import { emulated as max30101 } from "../drivers/max30101/emulator.ts";
import { emulated as max30102 } from "../drivers/max30102/emulator.ts";
import { emulated as max30205 } from "../drivers/max30205/emulator.ts";
import { emulated as max86150 } from "../drivers/max86150/emulator.ts";
import { emulated as mlx90614 } from "../drivers/mlx90614/emulator.ts";
import { emulated as tmp117 } from "../drivers/tmp117/emulator.ts";

export const emulators = { ad8232, ads1292r, max30003, max30101, max30102, max30205, max86150, mlx90614, tmp117 };
