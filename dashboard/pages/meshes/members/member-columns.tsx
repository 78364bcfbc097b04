import type { Member } from "#schema/machine";
import { CopyText } from "../../../components/copy-text.tsx";
import { StatusDot } from "../../../components/status-dot.tsx";
import { ageColumn } from "../../../components/table/age-column.tsx";
import { actionsColumn, type Column } from "../../../components/table/columns.ts";
import { MachineLink } from "../../machines/machine-link.tsx";
import { OnlineState } from "../../machines/online-state.tsx";
import type { MemberState } from "./member-model.ts";
import { RemoveMemberButton } from "./remove-member-button.tsx";

interface MemberRow {
  readonly member: Member;
  readonly state: MemberState;
}

const Name = ({ member: { machineId, name } }: { readonly member: Member }) => (
  <MachineLink id={machineId} name={name} isRow />
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
  const remove = ({ member: { machineId, name } }: MemberRow) => (
    <RemoveMemberButton meshId={meshId} machineId={machineId} name={name} />
  );
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
    ageColumn({
      id: "joined",
      header: "Joined",
      track: "6.5rem",
      from: "xl",
      toMoment: ({ member }) => member.joinedAt,
    }),
    actionsColumn(remove, "2.25rem"),
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
      {remove({ member, state })}
    </div>
  );
  return { columns, card };
};
