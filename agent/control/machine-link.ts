// The link to the machine's own object, its doorbell: which meshes this machine is in, and whether it still is one.
import type { AgentInfo } from "#schema/machine";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { FromMachineMessage, type MachineState, type ToMachineMessage } from "#schema/wire/messages";
import { WIRE_VERSION } from "#schema/wire/version";
import { type ConnectionState, createConnection } from "./connection.ts";
import type { LinkPorts } from "./link-ports.ts";
import { describeMessage } from "./mesh-link.ts";

export interface MachineLink {
  start(): void;
  stop(): void;
  state(): ConnectionState;
  /** Asks for the state again. */
  ring(): void;
  /** Nothing, when there is no connection: what matters is said again after the next hello. */
  send(message: ToMachineMessage): void;
  networkChanged(): void;
}

export interface MachineLinkOptions {
  /** The revision that the disk cache holds; 0 when it holds none. */
  readonly revision: number;
  readonly agent: AgentInfo;
  readonly heartbeatMs: number;
  /** Called for every answer, also when nothing changed. */
  readonly onState: (state: MachineState) => void;
  /** The machine was removed: the link has ended for good. */
  readonly onRemoved: (reason: string) => void;
}

export function createMachineLink(options: MachineLinkOptions, ports: LinkPorts): MachineLink {
  const { log } = ports;
  let revision = options.revision;
  let isFirstAnswer = true;

  function receive(input: unknown): void {
    const parsed = FromMachineMessage.safeParse(input);
    if (!parsed.success) {
      log.warn("ignored a message", { received: describeMessage(input), problem: parsed.error.issues[0]?.message });
      return;
    }
    const message = parsed.data;
    switch (message.type) {
      case "machine.state":
        // Two polls may overtake each other. The first answer of a connection holds in any case: the object may have been restored.
        if (message.revision < revision && !isFirstAnswer) return;
        isFirstAnswer = false;
        revision = message.revision;
        options.onState(message);
        return;
      case "machine.removed":
        connection.stop();
        options.onRemoved("the machine was removed");
        return;
      case "error":
        log.warn("refused", { code: message.code, reason: message.message });
    }
  }

  const toHeartbeat = (): ToMachineMessage => ({ type: "machine.heartbeat", revision });
  const connection = createConnection({
    ...ports,
    target: {
      path: AGENT_PATHS.machineSync,
      greet: (): ToMachineMessage => {
        isFirstAnswer = true;
        return { type: "machine.hello", wireVersion: WIRE_VERSION, agent: options.agent };
      },
      pollQuery: () => ({ since: revision }),
    },
    heartbeatMs: options.heartbeatMs,
    toHeartbeat,
    onMessage: receive,
    // On this path every end for good means the same: the object knows no mesh to be removed from.
    onStopped: ({ message }) => options.onRemoved(message),
  });

  return {
    start: connection.start,
    stop: connection.stop,
    state: connection.state,
    send: connection.send,
    ring: () => connection.send(toHeartbeat()),
    networkChanged: connection.networkChanged,
  };
}
