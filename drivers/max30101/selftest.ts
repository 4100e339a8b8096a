/** MAX30101: opening and self-test are the MAX30102's. A chip cannot be asked whether it has a green LED. Device side. */
export { createOpening, createSelfTest, dieTemperature } from "../max30102/selftest.ts";
