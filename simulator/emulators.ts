/** Every chip that can be emulated, by the name of its folder: `probe(emulators.tmp117)`. */
import { emulated as max30003 } from "../drivers/max30003/emulator.ts";
import { emulated as max30102 } from "../drivers/max30102/emulator.ts";
import { emulated as tmp117 } from "../drivers/tmp117/emulator.ts";

export const emulators = { max30003, max30102, tmp117 };
