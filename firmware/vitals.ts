import type { Block, Channel } from "../drivers/driver.ts";
import type { ChannelDefinition } from "../protocol/messages.ts";
export interface Vitals {
  definitions(firstId: number): ChannelDefinition[];
  take(channel: Channel, block: Block): void;
  interrupted(channel: Channel): void;
  read(now: number, emit: (index: number, value: number | null, flags: number) => void): void;
}
export function createVitals(_channels: readonly Channel[]): Vitals {
  return { definitions: () => [], take() {}, interrupted() {}, read() {} };
}
