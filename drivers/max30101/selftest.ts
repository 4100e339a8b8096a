/** MAX30101: the self-test is the MAX30102's. A chip cannot be asked whether it has a green LED. Device side. */
export { selfTest } from "../max30102/selftest.ts";
