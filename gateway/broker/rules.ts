/**
 * Who may do what at a broker (PROTOCOL.md section 7). Pure: the embedded broker asks it; a broker elsewhere is configured to
 * the same by `vitalwire broker-config`.
 */

/** Name of a device at a broker: its kid. */
export const DEVICE_NAME = /^[0-9a-f]{16}$/;
/** Letters of a device's own topics, and whether what is published there may be retained. */
export const DEVICE_TOPICS: ReadonlyMap<string, boolean> = new Map([
  ["d", false],
  ["b", true],
  ["w", true],
]);
/** Bytes of the longest message (PROTOCOL.md section 1). */
export const MESSAGE = 4096;

/** What a publication says of itself. */
export interface Publication {
  readonly topic: string;
  readonly retain: boolean;
  readonly qos: number;
}

/** What a CONNECT says of itself. */
export interface Greeting {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly clean: boolean;
  readonly will: Publication | undefined;
  /** Common name of the certificate that the other end has proven to hold; undefined: a connection without certificates. */
  readonly identity: string | undefined;
}

export interface Rules {
  /** Bytes of the longest MQTT packet that these rules can allow, without its fixed header. */
  readonly longestPacket: number;
  /** Why it may not connect; null: it may. `name` is who it is from then on. */
  greetingFault(greeting: Greeting): string | null;
  /** Why one of that name may not be here (any more). */
  presenceFault(name: string): string | null;
  publicationFault(name: string, publication: Publication): string | null;
  /** May it subscribe to this filter? No wildcard but the gateway's three, no shared subscription. */
  maySubscribe(name: string, filter: string): boolean;
  /** May it be sent what was published on this topic? */
  mayHear(name: string, topic: string): boolean;
}

/** Text of others, fit for a log line. */
export const quoted = (text: unknown): string => JSON.stringify(String(text).slice(0, 64));

/**
 * The rules of one site. `gatewayId` is the gateway's name ("gw-" and its kid); `refusal` says why a device may not be here
 * ("is not enrolled"), or null.
 */
export function createRules(site: string, gatewayId: string, refusal: (kid: string) => string | null): Rules {
  const prefix = `vsp/1/${site}/`;
  const gatewayKid = /^gw-([0-9a-f]{16})$/.exec(gatewayId)?.[1];
  /** Where the gateway says whether it is there. */
  const isState = (topic: string) => gatewayKid !== undefined && topic === `${prefix}gw/${gatewayKid}/s`;
  /** kid and letter of a device's topic; null: it is none. */
  const parse = (topic: string): { kid: string; letter: string } | null => {
    const [kid, letter, ...more] = topic.startsWith(prefix) ? topic.slice(prefix.length).split("/") : [];
    return kid !== undefined && letter !== undefined && more.length === 0 ? { kid, letter } : null;
  };
  const presenceFault: Rules["presenceFault"] = (name) => {
    if (name === gatewayId) return null;
    return DEVICE_NAME.test(name) ? refusal(name) : "is no kid of 16 hex digits";
  };
  const publicationFault: Rules["publicationFault"] = (name, { topic, retain, qos }) => {
    const fault = presenceFault(name);
    if (fault !== null) return fault;
    const target = parse(topic);
    const what = `publishes on ${quoted(topic)}`;
    if (qos > 1) return `${what} with quality of service ${qos}`;
    if (name === gatewayId) {
      if (isState(topic)) return retain ? null : `${what} not to be retained: who comes later would not know`;
      if (target === null || target.letter !== "c" || !DEVICE_NAME.test(target.kid)) return what;
      return retain ? `${what} to be retained: a command must not meet a later boot` : null;
    }
    const retainable = target !== null && target.kid === name ? DEVICE_TOPICS.get(target.letter) : undefined;
    if (retainable === undefined) return what;
    return retain && !retainable ? `${what} to be retained: a late gateway would take it for new` : null;
  };
  return {
    // A PUBLISH: length of the topic, the topic, the packet's number, the message. Every other packet is shorter.
    longestPacket: 2 + Buffer.byteLength(`${prefix}0123456789abcdef/d`) + 2 + MESSAGE,
    greetingFault({ clientId, username, clean, will, identity }) {
      if (username === undefined || clientId !== username)
        return `calls itself ${quoted(clientId)}, with the user name ${quoted(username ?? "")}: both must be its kid`;
      if (identity !== undefined && identity !== username)
        return `calls itself ${quoted(username)}, its certificate is for ${quoted(identity)}`;
      const fault = presenceFault(username);
      if (fault !== null) return `${quoted(username)} ${fault}`;
      if (username === gatewayId) {
        if (will === undefined || (isState(will.topic) && will.retain && will.qos <= 1)) return null;
        return `${quoted(username)}: a gateway's will belongs on its own topic s, retained`;
      }
      if (!clean) return `${quoted(username)} asks for a session that is kept: a device connects with clean session 1`;
      if (will === undefined) return null;
      const place = publicationFault(username, will);
      if (place !== null) return `${quoted(username)}: its will ${place}`;
      return parse(will.topic)?.letter === "w" ? null : `${quoted(username)}: a will belongs on its own topic w`;
    },
    presenceFault,
    publicationFault,
    maySubscribe(name, filter) {
      if (name === gatewayId) return [...DEVICE_TOPICS.keys()].some((letter) => filter === `${prefix}+/${letter}`);
      return presenceFault(name) === null && filter === `${prefix}${name}/c`;
    },
    mayHear(name, topic) {
      const source = parse(topic);
      if (source === null) return false;
      if (name === gatewayId) return DEVICE_TOPICS.has(source.letter);
      return presenceFault(name) === null && source.kid === name && source.letter === "c";
    },
  };
}
