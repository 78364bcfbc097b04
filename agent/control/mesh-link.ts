// One mesh's link to its Mesh object: the pure session on a connection, with what this machine says of itself.
import type { CheckState } from "#schema/announcement-state";
import type { DesiredMesh } from "#schema/desired-state";
import type { MeshId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";
import { AGENT_PATHS } from "#schema/wire/enrolment";
import { FromMeshMessage, type ToMeshMessage } from "#schema/wire/messages";
import { WIRE_VERSION } from "#schema/wire/version";
import type { Logger } from "../system/logger.ts";
import { createCheckReports } from "./check-reports.ts";
import { type ConnectionState, createConnection, type StopReason } from "./connection.ts";
import { createFactsPace, isSameFacts, type MemberFacts } from "./facts-pace.ts";
import type { LinkPorts } from "./link-ports.ts";
import { createSession, isSessionMessage, type Position, type SessionInput, stepSession } from "./session.ts";

export interface AppliedReport {
  readonly position: Position;
  readonly failures: readonly StepFailure[];
}

export interface MeshLink {
  start(): void;
  stop(): void;
  /** Newest state of the mesh; null until the first snapshot. */
  desired(): DesiredMesh | null;
  state(): ConnectionState;
  /** Tells the object when it does not know these yet. */
  setFacts(facts: MemberFacts): void;
  /** Tells the object, and again on every new connection. */
  report(report: AppliedReport): void;
  /** What this machine's health checks say: told as far as the object does not know it. */
  setChecks(checks: readonly CheckState[]): void;
  /** Sends something that is worth nothing later; false when not connected. */
  send(message: ToMeshMessage): boolean;
  networkChanged(): void;
}

export interface MeshLinkOptions {
  readonly meshId: MeshId;
  readonly desired: DesiredMesh | null;
  readonly facts: MemberFacts;
  readonly heartbeatMs: number;
  readonly onChanged: (desired: DesiredMesh) => void;
  /** A message that is not about the mesh's state. */
  readonly onSignal: (message: FromMeshMessage) => void;
  /** The object answered, so this machine is a member. */
  readonly onWelcome: () => void;
  /** The object did not do what it was asked: a code of the protocol, and a sentence. */
  readonly onRefused: (code: string, message: string) => void;
  /** The link has ended for good. */
  readonly onStopped: (reason: StopReason) => void;
}

/** The object took no more changes of this member for now (docs/protocol.md). */
const UPDATE_REFUSED = "too_many_updates";

export function createMeshLink(options: MeshLinkOptions, ports: LinkPorts): MeshLink {
  const { meshId } = options;
  const { clock } = ports;
  const log: Logger = ports.log.child({ meshId });
  let session = createSession(meshId, options.desired);
  let facts = options.facts;
  const pace = createFactsPace();
  /** What the object knows; null when that is not known. */
  let told: MemberFacts | null = null;
  let hasGreeted = false;
  let cancelTelling = () => {};
  let report: AppliedReport | null = null;
  let isReportTold = false;

  /** Steps the session; what it wants sent is returned, the rest is done. */
  function step(input: SessionInput): ToMeshMessage[] {
    const { state, outputs } = stepSession(session, input);
    session = state;
    const messages: ToMeshMessage[] = [];
    for (const output of outputs) {
      switch (output.type) {
        case "send_hello":
          messages.push(toHello(output.position));
          break;
        case "send_heartbeat":
          messages.push({ type: "sync.heartbeat", ...output.position });
          break;
        case "changed":
          if (state.desired !== null) options.onChanged(state.desired);
          break;
        case "left":
          connection.stop();
          options.onStopped({
            code: "removed",
            message: output.reason === "removed" ? "removed" : "the mesh was deleted",
          });
          break;
        case "refused":
          // A limit is no trouble: signals about paths come again with the next round, an update in a while.
          log[output.code === "rate_limited" || output.code === UPDATE_REFUSED ? "debug" : "warn"]("refused", {
            code: output.code,
            reason: output.message,
          });
          if (output.code === UPDATE_REFUSED) tellLater();
          options.onRefused(output.code, output.message);
          break;
        case "note":
          log[output.level]("sync", { note: output.text });
      }
    }
    return messages;
  }

  function toHello(position: Position | null): ToMeshMessage {
    told = facts;
    hasGreeted = true;
    isReportTold = false;
    checks.forgetTold();
    return { type: "sync.hello", wireVersion: WIRE_VERSION, position, ...facts, candidates: [...facts.candidates] };
  }

  function receive(input: unknown): void {
    const parsed = FromMeshMessage.safeParse(input);
    if (!parsed.success) {
      log.warn("ignored a message", { received: describeMessage(input), problem: parsed.error.issues[0]?.message });
      return;
    }
    if (!isSessionMessage(parsed.data)) {
      options.onSignal(parsed.data);
      return;
    }
    for (const message of step({ type: "received", message: parsed.data })) connection.send(message);
    if (parsed.data.type !== "error" && parsed.data.type !== "mesh.left") {
      options.onWelcome();
      tellFacts();
      tellReport();
      checks.tell();
    }
  }

  function tellFacts(): void {
    cancelTelling();
    if (connection.state().kind !== "connected" || (told !== null && isSameFacts(facts, told))) return;
    const waitMs = pace.readyAtMs(told, facts) - clock.now();
    if (waitMs > 0) {
      cancelTelling = clock.setTimer(waitMs, tellFacts);
      return;
    }
    pace.noteTold(told, facts, clock.now());
    told = facts;
    connection.send({ type: "member.update", ...facts, candidates: [...facts.candidates] });
  }

  function tellLater(): void {
    pace.noteRefused(clock.now());
    told = null;
    tellFacts();
  }

  function tellReport(): void {
    if (report === null || isReportTold || connection.state().kind !== "connected") return;
    isReportTold = true;
    connection.send({ type: "sync.applied", ...report.position, failures: report.failures });
  }

  const connection = createConnection({
    ...ports,
    log,
    target: {
      path: AGENT_PATHS.meshSync(meshId),
      greet: () => step({ type: "opened" })[0] ?? toHello(null),
      pollQuery: () => {
        const { desired } = session;
        return desired === null ? {} : { epoch: desired.epoch, since: desired.revision };
      },
    },
    heartbeatMs: options.heartbeatMs,
    toHeartbeat: () => step({ type: "heartbeat_due" })[0] ?? null,
    onMessage: receive,
    onStopped: options.onStopped,
  });

  /** Before the object has answered it does not know this machine. */
  const isGreeted = () => connection.state().kind === "connected" && hasGreeted;
  const checks = createCheckReports({ clock, isConnected: isGreeted, send: (message) => connection.send(message) });

  return {
    start: connection.start,
    stop() {
      cancelTelling();
      checks.stop();
      connection.stop();
    },
    desired: () => session.desired,
    state: connection.state,
    networkChanged: connection.networkChanged,
    send(message) {
      if (!isGreeted()) return false;
      connection.send(message);
      return true;
    },
    setFacts(next) {
      facts = next;
      tellFacts();
    },
    setChecks: checks.set,
    report(next) {
      report = next;
      isReportTold = false;
      tellReport();
    },
  };
}

/** For a log: the message's type when it has one, never its content. */
export function describeMessage(input: unknown): string {
  if (typeof input !== "object" || input === null) return typeof input;
  return "type" in input && typeof input.type === "string" ? input.type.slice(0, 40) : "object";
}
