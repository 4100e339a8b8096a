/**
 * MAX30101 pulse oximeter: red, infrared and green light. The MAX30102's driver with a third LED; README.md tells what
 * is the same and what is not. Device side.
 */
export { createDriver, type Max30102Setup } from "../max30102/driver.ts";
