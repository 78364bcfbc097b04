import { createLazyRoute } from "@tanstack/react-router";
import { Ticket } from "lucide-react";
import { useState } from "react";
import { type JoinToken, listJoinTokens, revokeJoinToken } from "#schema/api/join-tokens";
import { listMeshes } from "#schema/api/meshes";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { useCan } from "../../api/session.ts";
import { useList } from "../../api/use-api.ts";
import { Until } from "../../components/age.tsx";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { EmptyState } from "../../components/states.tsx";
import { ageColumn } from "../../components/table/age-column.tsx";
import { actionsColumn, type Column } from "../../components/table/columns.ts";
import { DataTable } from "../../components/table/data-table.tsx";
import { ConfirmChange } from "../form/form-dialog.tsx";
import { AddMachineButton } from "../machines/add/add-machine-button.tsx";
import { AddMachineDialog } from "../machines/add/add-machine-dialog.tsx";
import { QueryView } from "../query-view.tsx";
import { describeMeshes, JOIN_TOKEN_WORDS, orderJoinTokens } from "./token-words.ts";

function JoinTokensPage() {
  const tokens = useList(listJoinTokens, {}, { everyMs: LIST_EVERY_MS });
  const meshes = useList(listMeshes, {});
  const canRevoke = useCan(revokeJoinToken);
  const [isAdding, setAdding] = useState(false);
  const [revoked, setRevoked] = useState<JoinToken | null>(null);
  const add = <AddMachineButton onPress={() => setAdding(true)} />;
  const meshNames = new Map((meshes.data ?? []).map(({ id, name }) => [id as string, name as string]));
  const action = (token: JoinToken) =>
    canRevoke &&
    token.status === "active" && (
      <Button size="small" onClick={() => setRevoked(token)} aria-label={`Revoke the join token of ${token.createdAt}`}>
        Revoke
      </Button>
    );
  return (
    <>
      <PageHeader title="Join tokens" below="Secrets with which machines enrol." actions={add} />
      <QueryView query={tokens}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon={<Ticket />} title="No join token" action={add}>
              Adding a machine makes one. It is shown once, ends by itself, and can be revoked.
            </EmptyState>
          ) : (
            <DataTable
              label="Join tokens"
              rows={orderJoinTokens(all)}
              columns={toColumns(meshNames, action)}
              toKey={({ id }) => id}
              card={(token) => (
                <div className="flex items-center justify-between gap-3">
                  <div className="flex flex-col gap-1">
                    <Status token={token} />
                    <span className="text-muted">
                      <Uses token={token} />, {describeMeshes(token.meshIds, meshNames)}
                    </span>
                  </div>
                  {action(token)}
                </div>
              )}
            />
          )
        }
      </QueryView>
      {isAdding && <AddMachineDialog onClose={() => setAdding(false)} />}
      {revoked && <RevokeDialog token={revoked} onClose={() => setRevoked(null)} />}
    </>
  );
}

const Status = ({ token }: { readonly token: JoinToken }) => {
  const { label, tone } = JOIN_TOKEN_WORDS[token.status];
  return (
    <span className="flex items-center gap-2">
      <Badge tone={tone}>{label}</Badge>
      {token.status === "active" && (
        <span className="text-muted text-xs">
          ends <Until at={token.expiresAt} />
        </span>
      )}
    </span>
  );
};

const Uses = ({ token: { uses, maxUses } }: { readonly token: JoinToken }) => (
  <>{maxUses === null ? `${uses} used, any number` : `${uses} of ${maxUses} used`}</>
);

const toColumns = (
  meshNames: ReadonlyMap<string, string>,
  action: Column<JoinToken>["cell"],
): readonly Column<JoinToken>[] => [
  { id: "status", header: "State", track: "minmax(11rem, 1fr)", cell: (token) => <Status token={token} /> },
  { id: "uses", header: "Machines", track: "minmax(8rem, 1fr)", cell: (token) => <Uses token={token} /> },
  {
    id: "meshes",
    header: "Joins",
    track: "minmax(9rem, 1.5fr)",
    cell: ({ meshIds }) => describeMeshes(meshIds, meshNames),
  },
  ageColumn({ id: "created", header: "Created", toMoment: ({ createdAt }) => createdAt }),
  actionsColumn(action),
];

const RevokeDialog = ({ token, onClose }: { readonly token: JoinToken; readonly onClose: () => void }) => (
  <ConfirmChange
    operation={revokeJoinToken}
    input={{ params: { joinTokenId: token.id } }}
    makesOld={[listJoinTokens.id]}
    title="Revoke this join token?"
    verb="Revoke"
    onClose={onClose}
  >
    <p>No machine can enrol with it any more. Machines that did stay.</p>
  </ConfirmChange>
);

export const joinTokensPage = createLazyRoute("/shell/join-tokens")({ component: JoinTokensPage });
