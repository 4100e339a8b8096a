/** What carries sealed messages. A link never seals, never keeps: what it cannot send now is asked of it again later. */

/** PROTOCOL.md section 7: d data, manifest, event; b birth; w presence. */
export type Letter = "d" | "b" | "w";

export interface LinkEvents {
  /** The link can carry messages now. `connection` counts the connections of this boot from 1. */
  readonly onUp: (connection: number) => void;
  readonly onDown: () => void;
  /** One message from the gateway, not yet verified. */
  readonly onMessage: (message: Uint8Array) => void;
}

export interface Link {
  /** Does it speak presence (a will at connect)? A serial line does not. */
  readonly presence: boolean;
  /** Begins to connect. `will(connection)` gives the sealed presence 0 of that connection. */
  open(events: LinkEvents, will: (connection: number) => Uint8Array): void;
  /** false: it is down, nothing was sent. `current` false: of an earlier boot; whoever joins later must not take it for this one's. */
  send(letter: Letter, message: Uint8Array, current?: boolean): boolean;
  /** Ends it after what was sent has left, bounded; then `done`. */
  close(done: () => void): void;
}
