/** Configuration of a mosquitto (2.0 on) that holds PROTOCOL.md section 7 as far as mosquitto can. Texts from names, nothing else. */
import { createRules, MESSAGE } from "../../gateway/broker/rules.ts";

export interface Membership {
  /** Third level of the topics. */
  readonly site: string;
  /** Kids, 16 hex digits each, sorted. */
  readonly devices: readonly string[];
  readonly gateways: readonly string[];
  /** Folder of the files on the broker's machine. */
  readonly install: string;
  readonly port: number;
}

/** Connections beside those of the members: of who is about to be refused. */
const SPARE = 100;

/** Names of the files, with their texts. The same membership gives the same bytes. */
export function mosquittoFiles(membership: Membership): Record<string, string> {
  return {
    "mosquitto.conf": configuration(membership),
    "vitalwire.acl": accessList(membership),
    "README.md": readme(membership),
  };
}

const count = (names: readonly string[], what: string) => `${names.length} ${what}${names.length === 1 ? "" : "s"}`;
const members = ({ devices, gateways }: Membership) => `${count(devices, "device")}, ${count(gateways, "gateway")}`;

function configuration(membership: Membership): string {
  const { site, devices, gateways, install, port } = membership;
  const { longestPacket } = createRules(site, "", () => null);
  return `# mosquitto for the site "${site}" of vitalwire: ${members(membership)}.
# Written by \`vitalwire broker-config\`; write it anew when a card comes or goes. It is whole: include nothing beside it.

# The only listener. Who shows no certificate of this authority does not get in.
listener ${port}
cafile ${install}/ca.crt
certfile ${install}/broker.crt
keyfile ${install}/broker.key
tls_version tlsv1.2
require_certificate true
# The certificate's common name is the user name, and the user name is the client id, whatever the client calls itself.
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file ${install}/vitalwire.acl

# A message has at most ${MESSAGE} bytes. A longer packet ends its connection before it is read.
max_packet_size ${longestPacket + 4}
message_size_limit ${MESSAGE}
max_qos 1
max_connections ${2 * (devices.length + gateways.length) + SPARE}
max_keepalive 300
set_tcp_nodelay true

# For a gateway that is away: its session waits so long, and so much waits with it. Boards keep what no gateway has
# acknowledged, so what is dropped here comes again.
persistent_client_expiration 1d
max_inflight_messages 100
max_queued_messages 10000
queue_qos0_messages false

# Births and presences are retained, and are there after a restart.
persistence true
persistence_location /var/lib/mosquitto/
autosave_interval 60

sys_interval 0
connection_messages true
log_type error
log_type warning
log_type notice
log_type information
`;
}

function accessList(membership: Membership): string {
  const { site, devices, gateways } = membership;
  const prefix = `vsp/1/${site}`;
  const blocks = [`# Who is not listed may do nothing. ${members(membership)} of the site "${site}".`];
  for (const kid of gateways) {
    const read = ["d", "b", "w"].map((letter) => `topic read ${prefix}/+/${letter}`);
    const write = [`topic write ${prefix}/+/c`, `topic write ${prefix}/gw/${kid}/s`];
    blocks.push([`user gw-${kid}`, ...read, ...write].join("\n"));
  }
  for (const kid of devices) {
    const write = ["d", "b", "w"].map((letter) => `topic write ${prefix}/${kid}/${letter}`);
    blocks.push([`user ${kid}`, ...write, `topic read ${prefix}/${kid}/c`].join("\n"));
  }
  return `${blocks.join("\n\n")}\n`;
}

function readme(membership: Membership): string {
  const { site, install, port } = membership;
  return `# mosquitto for the site "${site}"

${members(membership)}. Put the files where they belong, on the broker's machine:

| file                                    | where                            | mode                                  |
| --------------------------------------- | -------------------------------- | ------------------------------------- |
| \`mosquitto.conf\`                        | \`/etc/mosquitto/mosquitto.conf\`  | 0644; it takes the old one's place    |
| \`vitalwire.acl\`                         | \`${install}/\` | 0600, owner \`mosquitto\`               |
| \`ca.crt\`, \`broker.crt\` (docs/tls.md)    | \`${install}/\` | 0644                                  |
| \`broker.key\` (docs/tls.md)              | \`${install}/\` | 0600, owner \`mosquitto\`               |

Then \`systemctl restart mosquitto\`. Gateways and boards come to \`mqtts://HOST:${port}\`, each with its own certificate: common
name KID for a device, gw-KID for a gateway. The gateway's settings say so:

\`\`\`yaml
site: ${site}
broker: { url: "mqtts://HOST:${port}", ca: tls/ca.crt, certificate: tls/gateway.crt, key: tls/gateway.key }
\`\`\`

When a card came, went, or was revoked: \`vitalwire broker-config\` again, copy \`vitalwire.acl\`, \`systemctl reload mosquitto\`. A
revoked device that is connected stays connected, and what it publishes is dropped from then on; to throw it out, restart.

## What mosquitto cannot do

It is a carrier, not a judge: every message is verified by the gateway, and every command by the board.

- Its ACL file does not know the retain flag. A gateway never publishes a command to be retained, and a board takes no retained one.
- It grants any subscription and then delivers only what the ACL lets through: a device that subscribes to another's topics is
  told yes and hears nothing.
- So any member can join the group \`$share/ingest\`, and its share of the messages is dropped. vitalwire's gateway subscribes
  plainly, where this does nothing. Where several gateways are to share the work, use a broker that judges subscriptions, such
  as mosquitto with its dynamic-security plugin.
- A publication that the ACL forbids is dropped, and a client of MQTT 3.1.1 is told that it was taken. Nothing is lost: a board
  frees its copy at the gateway's signed acknowledgement only.
- It does not ask for clean sessions or short keepalives of MQTT 3.1.1 clients.
`;
}
