import { Link } from "@tanstack/react-router";
import type { Member } from "#schema/machine";
import { Age } from "../../../components/age.tsx";
import { CopyText } from "../../../components/copy-text.tsx";
import { StatusDot } from "../../../components/status-dot.tsx";
import type { Column } from "../../../components/table/columns.ts";
import { OnlineState } from "../../machines/online-state.tsx";
import type { MemberState } from "./member-model.ts";
import { RemoveMemberButton } from "./remove-member-button.tsx";

interface MemberRow {
  readonly member: Member;
  readonly state: MemberState;
}

const Name = ({ member }: { readonly member: Member }) => (
  <Link
    to="/machines/$machineId"
    params={{ machineId: member.machineId }}
    className="block truncate font-medium after:absolute after:inset-0 hover:text-accent"
  >
    {member.name}
  </Link>
);

const State = ({ state }: { readonly state: MemberState }) => (
  <span className="block min-w-0">
    <span className="flex items-center gap-2">
      <StatusDot tone={state.tone} />
      {state.label}
    </span>
    {state.failures.map((failure) => (
      <span key={failure} className="block truncate text-bad text-xs" title={failure}>
        {failure}
      </span>
    ))}
  </span>
);

export const toMemberColumns = (meshId: string) => {
  const columns: readonly Column<MemberRow>[] = [
    { id: "name", header: "Machine", track: "minmax(10rem, 1.4fr)", cell: ({ member }) => <Name member={member} /> },
    {
      id: "online",
      header: "Seen",
      track: "8rem",
      cell: ({ member }) => <OnlineState online={member.online} lastSeenAt={member.lastSeenAt} />,
    },
    {
      id: "address",
      header: "Addresses",
      track: "minmax(11.5rem, 1.3fr)",
      cell: ({ member }) => (
        <span className="flex flex-col items-start">
          <CopyText text={member.address} what="address" />
          <CopyText text={member.address6} what="IPv6 address" className="text-muted text-xs" />
        </span>
      ),
    },
    { id: "state", header: "State", track: "minmax(10rem, 1.4fr)", cell: ({ state }) => <State state={state} /> },
    {
      id: "joined",
      header: "Joined",
      track: "6.5rem",
      from: "xl",
      cell: ({ member }) => (
        <span className="text-muted">
          <Age at={member.joinedAt} />
        </span>
      ),
    },
    {
      id: "actions",
      header: "Actions",
      isHeaderHidden: true,
      track: "2.25rem",
      align: "end",
      cell: ({ member }) => <RemoveMemberButton meshId={meshId} machineId={member.machineId} name={member.name} />,
    },
  ];
  const card = ({ member, state }: MemberRow) => (
    <div className="flex items-start gap-3">
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <div className="flex items-center justify-between gap-3">
          <Name member={member} />
          <OnlineState online={member.online} lastSeenAt={member.lastSeenAt} />
        </div>
        <CopyText text={member.address} what="address" />
        <State state={state} />
      </div>
      <RemoveMemberButton meshId={meshId} machineId={member.machineId} name={member.name} />
    </div>
  );
  return { columns, card };
};
