import { createLazyRoute } from "@tanstack/react-router";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { type ApiToken, createApiToken, listApiTokens, revokeApiToken } from "#schema/api/api-tokens";
import { useCan } from "../../api/session.ts";
import { useList } from "../../api/use-api.ts";
import { useNow } from "../../browser/use-now.ts";
import { Until } from "../../components/age.tsx";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { PageHeader } from "../../components/layout.tsx";
import { EmptyState } from "../../components/states.tsx";
import { ageColumn } from "../../components/table/age-column.tsx";
import { actionsColumn, type Column } from "../../components/table/columns.ts";
import { DataTable } from "../../components/table/data-table.tsx";
import { ConfirmChange } from "../form/form-dialog.tsx";
import { QueryView } from "../query-view.tsx";
import { CreateApiTokenDialog } from "./create-api-token-dialog.tsx";
import { ROLE_WORDS } from "./token-words.ts";

function ApiTokensPage() {
  const tokens = useList(listApiTokens, {});
  const canCreate = useCan(createApiToken);
  const [isCreating, setCreating] = useState(false);
  const [revoked, setRevoked] = useState<ApiToken | null>(null);
  const create = canCreate && (
    <Button look="primary" onClick={() => setCreating(true)}>
      <Plus aria-hidden /> Create token
    </Button>
  );
  const action = (token: ApiToken) =>
    canCreate && (
      <Button size="small" onClick={() => setRevoked(token)} aria-label={`Revoke ${token.name}`}>
        Revoke
      </Button>
    );
  return (
    <>
      <PageHeader title="API tokens" below="Secrets with which scripts use the API." actions={create} />
      <QueryView query={tokens}>
        {(all) =>
          all.length === 0 ? (
            <EmptyState icon={<KeyRound />} title="No API token" action={create}>
              A token has a role and an end. It is shown once; only its hash is kept.
            </EmptyState>
          ) : (
            <DataTable
              label="API tokens"
              rows={all}
              columns={toColumns(action)}
              toKey={({ id }) => id}
              card={(token) => (
                <div className="flex items-center justify-between gap-3">
                  <div className="flex min-w-0 flex-col gap-1">
                    <span className="truncate font-medium">{token.name}</span>
                    <span className="flex items-center gap-2">
                      <Badge>{ROLE_WORDS[token.role].label}</Badge>
                      <Ends token={token} />
                    </span>
                  </div>
                  {action(token)}
                </div>
              )}
            />
          )
        }
      </QueryView>
      {isCreating && <CreateApiTokenDialog onClose={() => setCreating(false)} />}
      {revoked && <RevokeDialog token={revoked} onClose={() => setRevoked(null)} />}
    </>
  );
}

const MINUTE_MS = 60_000;

const Ends = ({ token: { expiresAt } }: { readonly token: ApiToken }) =>
  Date.parse(expiresAt) <= useNow(MINUTE_MS) ? (
    <Badge tone="warn">expired</Badge>
  ) : (
    <span className="text-muted">
      ends <Until at={expiresAt} />
    </span>
  );

const toColumns = (action: Column<ApiToken>["cell"]): readonly Column<ApiToken>[] => [
  {
    id: "name",
    header: "What for",
    track: "minmax(10rem, 2fr)",
    cell: ({ name }) => <span className="font-medium">{name}</span>,
  },
  { id: "role", header: "Role", track: "7rem", cell: ({ role }) => <Badge>{ROLE_WORDS[role].label}</Badge> },
  { id: "ends", header: "Ends", track: "minmax(7rem, 1fr)", cell: (token) => <Ends token={token} /> },
  ageColumn({ id: "created", header: "Created", toMoment: ({ createdAt }) => createdAt }),
  actionsColumn(action),
];

const RevokeDialog = ({ token, onClose }: { readonly token: ApiToken; readonly onClose: () => void }) => (
  <ConfirmChange
    operation={revokeApiToken}
    input={{ params: { apiTokenId: token.id } }}
    makesOld={[listApiTokens.id]}
    title={`Revoke ${token.name}?`}
    verb="Revoke"
    onClose={onClose}
  >
    <ul className="list-disc space-y-1 pl-5">
      <li>
        Scripts and programs that use it are refused from their next request on, and connections over which they watch a
        mesh are closed at once.
      </li>
      <li>What they have made stays: meshes, machines, other tokens.</li>
      <li>It can't be undone. Create another token for what is to go on, and put it there first.</li>
    </ul>
  </ConfirmChange>
);

export const apiTokensPage = createLazyRoute("/shell/api-tokens")({ component: ApiTokensPage });
