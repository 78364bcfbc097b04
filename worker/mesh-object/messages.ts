// What a member's messages do, the same over a socket and over long-poll. Pure over the mesh's storage.

import type { MachineId } from "#schema/ids";
import type { StepFailure } from "#schema/machine";
import { err, ok, type Result } from "#schema/result";
import type { MemberUpdate, SyncHello, ToMeshMessage, WireError } from "#schema/wire/messages";
import { checkWireVersion } from "../durable/wire-version.ts";
import type { Failure } from "../failure.ts";
import { type MemberChange, updateMember } from "./members.ts";
import type { MeshStorage } from "./storage.ts";
import type { Position } from "./sync.ts";

export interface MessageContext {
  readonly storage: MeshStorage;
  readonly machineId: MachineId;
  /** False when this member has sent too many messages: of any, or of those that cost others or take a long answer. */
  readonly isAllowed: (kind: "costly" | "any") => boolean;
}

/** What is to be done after the messages. Several that ask where the mesh stands get one answer, to the last of them. */
export interface MessageOutcome {
  readonly replies: readonly WireError[];
  readonly ask: { readonly kind: "hello" | "heartbeat"; readonly position: Position | null } | null;
  readonly report: MemberReport | null;
  /** True when other members must hear of it. */
  readonly isChanged: boolean;
  /** Ends the connection. What the messages before it did stays. */
  readonly failure: Failure | null;
}
export interface MemberReport {
  readonly applied: Position;
  readonly failures: readonly StepFailure[];
}

const NOTHING: MessageOutcome = { replies: [], ask: null, report: null, isChanged: false, failure: null };

export function handleMessages(context: MessageContext, messages: readonly ToMeshMessage[]): MessageOutcome {
  let outcome = NOTHING;
  for (const message of messages) {
    const step = handleMessage(context, message);
    if (!step.ok) return { ...outcome, failure: step.error };
    outcome = {
      replies: [...outcome.replies, ...step.value.replies],
      ask: step.value.ask ?? outcome.ask,
      report: step.value.report ?? outcome.report,
      isChanged: outcome.isChanged || step.value.isChanged,
      failure: null,
    };
  }
  return outcome;
}

function handleMessage(context: MessageContext, message: ToMeshMessage): Result<MessageOutcome, Failure> {
  if (!context.isAllowed("any")) return err({ code: "rate_limited", detail: "too many messages" });
  switch (message.type) {
    case "sync.hello":
      return handleHello(context, message);
    case "member.update":
      return changeMember(context, toChange(message));
    case "sync.applied": {
      const { epoch, revision, failures } = message;
      return ok({ ...NOTHING, report: { applied: { epoch, revision }, failures } });
    }
    case "sync.heartbeat": {
      if (!context.isAllowed("costly")) return err({ code: "rate_limited", detail: "too many heartbeats" });
      const { epoch, revision } = message;
      return ok({ ...NOTHING, ask: { kind: "heartbeat", position: { epoch, revision } } });
    }
  }
}

function handleHello(context: MessageContext, message: SyncHello): Result<MessageOutcome, Failure> {
  const { wireVersion, position } = message;
  const refusal = checkWireVersion(wireVersion);
  if (refusal !== null) return err(refusal);
  const changed = changeMember(context, toChange(message));
  if (!changed.ok || changed.value.replies.length > 0) return changed;
  return ok({ ...changed.value, ask: { kind: "hello", position } });
}

function changeMember(context: MessageContext, change: MemberChange): Result<MessageOutcome, Failure> {
  if (!context.isAllowed("costly")) return err({ code: "rate_limited", detail: "too many updates" });
  const updated = updateMember(context.storage, context.machineId, change);
  if (updated.ok) return ok({ ...NOTHING, isChanged: updated.value });
  const message = "another member of this mesh has this public key";
  return ok({ ...NOTHING, replies: [{ type: "error", code: updated.error, message }] });
}

const toChange = ({ publicKey, candidates, deviceEpoch }: SyncHello | MemberUpdate): MemberChange => ({
  ...(publicKey === undefined ? {} : { publicKey }),
  ...(candidates === undefined ? {} : { candidates }),
  ...(deviceEpoch === undefined ? {} : { deviceEpoch }),
});
