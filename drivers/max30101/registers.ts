/**
 * MAX30101: the MAX30102's registers and a third, green LED, for which LED3_PA and LED4_PA add up. The map is
 * ../max30102/registers.ts; what is this chip's alone is marked there. Device side.
 */
import type { Configuration } from "../max30102/registers.ts";

export type { Configuration } from "../max30102/registers.ts";
export * from "../max30102/registers.ts";

export interface Max30101Configuration extends Configuration {
  /** LED currents, mA: 0 to 51 in steps of 0.2. */
  readonly ledCurrent: { readonly red: number; readonly infrared: number; readonly green: number };
  /** Multi-LED mode, the only one in which the green LED shines. Absent: SpO2 mode, red and infrared. */
  readonly slots?: readonly ("red" | "infrared" | "green")[];
}
