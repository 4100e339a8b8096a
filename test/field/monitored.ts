/** What `monitor` prints of a board's messages, a line each. */
import { lineOf } from "../../cli/monitor/lines.ts";
import { Session } from "../../cli/monitor/session.ts";
import { render } from "../../cli/monitor/text.ts";
import type { Card } from "../../protocol/card.ts";
import { encodeLine } from "../../protocol/frame.ts";
import { kidText } from "../../protocol/keys.ts";

/** `messages` as they left the board, in their order. */
export function monitored(
  messages: readonly Uint8Array[],
  { kid, publicKey }: Pick<Card, "kid" | "publicKey">,
): string[] {
  const cards = new Map([[kidText(kid), { kid, publicKey } as Card]]);
  const lines: string[] = [];
  const session = new Session({
    keyring: { cards, psks: new Map(), folder: ".", given: true, notes: [] },
    now: () => null,
    onEntry: (entry) => {
      const line = lineOf(entry, false);
      if (line !== null) lines.push(render(line, null, false));
    },
  });
  for (const message of messages) session.line(encodeLine(message).trimEnd());
  return lines;
}
