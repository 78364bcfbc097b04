// Wires what the paths of all meshes share: packet rules, relays, the machine's network.
import type { Endpoint } from "#schema/address";
import type { StunServer } from "#schema/nat";
import { measureLifetime } from "../nat/lifetime.ts";
import { createNatProber } from "../nat/nat-prober.ts";
import type { PortMapper } from "../net/port-mapper.ts";
import type { DeriveSecret } from "../net/port-mapping/pcp.ts";
import { createBirthdays } from "../paths/checks/birthdays.ts";
import { createCheckKeys } from "../paths/checks/check-keys.ts";
import { createPacer } from "../paths/checks/pacer.ts";
import { createRuleBook, type RuleBook } from "../paths/checks/rule-book.ts";
import { createMachineNetwork, type MachineNetwork } from "../paths/machine-network.ts";
import { createMeshNetworks } from "../paths/mesh-networks.ts";
import type { PathPorts, RoutingFacts } from "../paths/path-ports.ts";
import { createRelays, type RelayTimings } from "../relay/relay-connection.ts";
import { createPacketFilter } from "../stun/packet-filter.ts";
import type { Clock } from "../system/clock.ts";
import type { Ed25519Key } from "../system/ed25519.ts";
import type { Exec } from "../system/exec.ts";
import type { Files } from "../system/files.ts";
import type { Logger } from "../system/logger.ts";
import type { Random } from "../system/random.ts";
import type { ResolveHost } from "../system/resolve-host.ts";
import type { UdpSockets } from "../system/udp.ts";
import type { WireGuard } from "../wireguard/wireguard.ts";
import type { MachineApi } from "./machine-api.ts";

/** The network as paths use it. */
export interface PathNetwork {
  readonly udp: UdpSockets;
  readonly createPortMapper: (clock: Clock, deriveSecret: DeriveSecret) => PortMapper;
  readonly randomBytes: (count: number) => Buffer;
  readonly resolveHost: ResolveHost;
  /** Called when a relay opens: from here on packets pass through this process. */
  readonly expectTraffic?: () => void;
}

/** What the operator of this machine has said. */
export interface PathSettings {
  readonly staticEndpoints: readonly Endpoint[];
  /** Null: those of the control plane. */
  readonly stunServers: readonly StunServer[] | null;
}

export interface PathPartsOptions {
  readonly network: PathNetwork;
  readonly settings: PathSettings;
  readonly api: MachineApi;
  readonly key: Pick<Ed25519Key, "sign">;
  readonly exec: Exec;
  readonly wireguard: WireGuard;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly timings: RelayTimings;
  readonly routing: RoutingFacts;
  /** Something that every mesh has to know. */
  readonly onMachineChanged: () => void;
}

export interface PathParts {
  readonly ports: PathPorts;
  readonly machine: MachineNetwork;
  readonly rules: RuleBook;
}

export function createPathParts(options: PathPartsOptions): PathParts {
  const { network, settings, exec, wireguard, files, clock, random, log, onMachineChanged } = options;
  const machine = createMachineNetwork({
    // A signature of Ed25519 is always the same for the same text (RFC 8032), and says nothing of the key.
    portMapper: network.createPortMapper(clock, (purpose) => Buffer.from(options.key.sign(purpose))),
    staticEndpoints: settings.staticEndpoints,
    ownStunServers: settings.stunServers,
    createProber: (voice, about) =>
      createNatProber({
        ...{ ...about, clock, client: voice.client, localPort: () => voice.localPort },
        ...{ udp: network.udp, resolveHost: network.resolveHost },
      }),
    measureLifetime: (server, signal) => measureLifetime({ server, signal, clock, udp: network.udp }),
    checksProblem: () => rules.problem(),
    clock,
    log,
    onChanged: onMachineChanged,
  });
  const rules = createRuleBook({
    filter: createPacketFilter(exec),
    clock,
    log,
    onProblemChanged: onMachineChanged,
  });
  const ports: PathPorts = {
    ...{ clock, random, log, files, machine, rules, routing: options.routing },
    udp: network.udp,
    randomBytes: network.randomBytes,
    meshNetworks: createMeshNetworks(onMachineChanged),
    birthdays: createBirthdays(),
    pacer: createPacer(clock),
    resolveHost: network.resolveHost,
    relays: createRelays({ ...options, ...(network.expectTraffic && { onOpen: network.expectTraffic }) }),
    readDevice: wireguard.readDevice,
    createKeys: createCheckKeys(files, clock),
  };
  return { ports, machine, rules };
}
