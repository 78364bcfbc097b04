import { Link } from "@tanstack/react-router";
import { Network, Plus } from "lucide-react";
import { useState } from "react";
import { addMember } from "#schema/api/members";
import type { Machine, Member, Membership } from "#schema/machine";
import { useCan } from "../../../api/session.ts";
import { Button } from "../../../components/button.tsx";
import { CopyText } from "../../../components/copy-text.tsx";
import { Card } from "../../../components/layout.tsx";
import { StatusDot } from "../../../components/status-dot.tsx";
import { toMemberState } from "../../meshes/members/member-model.ts";
import { RemoveMemberButton } from "../../meshes/members/remove-member-button.tsx";
import { useMembers } from "../use-members.ts";
import { AssignMeshDialog } from "./assign-mesh-dialog.tsx";

/** The meshes that the machine is in, and how far it has come in each. */
export function MembershipsCard({ machine }: { readonly machine: Machine }) {
  const [isAssigning, setAssigning] = useState(false);
  const canAssign = useCan(addMember);
  const members = useMembers(machine.id, machine.meshes);
  const assign = canAssign && (
    <Button size="small" onClick={() => setAssigning(true)}>
      <Plus aria-hidden /> Assign
    </Button>
  );
  return (
    <Card title="Meshes" actions={assign} isFlush>
      {machine.meshes.length === 0 ? (
        <div className="flex flex-col items-center gap-1 px-4 py-8 text-center text-muted">
          <Network aria-hidden className="mb-1 size-6 text-faint" />
          <p>In no mesh. Assign it to one, so that others can reach it.</p>
        </div>
      ) : (
        <ul className="divide-y divide-line">
          {machine.meshes.map((membership, index) => (
            <MembershipRow
              key={membership.meshId}
              machine={machine}
              membership={membership}
              member={members[index] ?? null}
            />
          ))}
        </ul>
      )}
      {isAssigning && <AssignMeshDialog machine={machine} onClose={() => setAssigning(false)} />}
    </Card>
  );
}

interface MembershipRowProps {
  readonly machine: Machine;
  readonly membership: Membership;
  readonly member: Member | null;
}

function MembershipRow({ machine, membership, member }: MembershipRowProps) {
  const { meshId, meshName, address, address6 } = membership;
  const state = member && toMemberState(member);
  return (
    <li className="flex items-start gap-3 px-4 py-3">
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <Link to="/meshes/$meshId" params={{ meshId }} className="font-medium hover:text-accent">
            {meshName}
          </Link>
          {state && (
            <span className="inline-flex items-center gap-1.5 text-muted">
              <StatusDot tone={state.tone} /> {state.label}
            </span>
          )}
        </div>
        <div className="flex flex-wrap gap-x-4 gap-y-0.5">
          <CopyText text={address} what={`address in ${meshName}`} />
          <CopyText text={address6} what={`IPv6 address in ${meshName}`} className="text-muted" />
        </div>
        {state?.failures.map((failure) => (
          <p key={failure} className="break-words text-bad text-xs">
            {failure}
          </p>
        ))}
      </div>
      <RemoveMemberButton meshId={meshId} machineId={machine.id} name={machine.name} meshName={meshName} />
    </li>
  );
}
