/** Entry point `vitalwire/gateway`: verify, store, acknowledge, read back. */

export { type Page, type PageOptions, startPage } from "./api/page.ts";
export { type Keys, Opener, type Opening } from "./audit/opener.ts";
export { openMessage, type VerifyReport, verifyStore } from "./audit/verify.ts";
export { type Broker, type BrokerOptions, startBroker } from "./broker.ts";
export {
  CommandError,
  type Commander,
  type CommanderOptions,
  type CommandFault,
  type CommandOptions,
  type CommandOutcome,
  createCommander,
} from "./commander.ts";
export {
  type BootCoverage,
  type BootEnd,
  type ChannelCoverage,
  type Coverage,
  coverageOf,
  type DayCoverage,
  type DeviceCoverage,
} from "./coverage.ts";
export { levelsOf } from "./evidence.ts";
export { Gateway, type GatewayOptions } from "./gateway.ts";
export { type Counters, type Origin, rejected } from "./origin.ts";
export { type AlarmEpisode, alarmEpisodes, readBoot, type StoredBoot, type StoredChannel, toPhysical } from "./read.ts";
export type { Accepted, DeviceAlarm, Verdict } from "./receiver.ts";
export { decodeRecord, openStored, type RecordClock, type StoredRecord } from "./record.ts";
export { recordingsOf } from "./recordings.ts";
export { attachMqtt, type GatewayPresence, type MqttSource, type MqttSourceOptions } from "./sources/mqtt.ts";
export { type KeptPort, keepPort, type PortOptions, type PortReport } from "./sources/port.ts";
export { attachSerial } from "./sources/serial.ts";
export { openSqliteStore } from "./store/sqlite.ts";
export type { Store, StoredMessage } from "./store/store.ts";
