import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { getMesh, updateMesh } from "#schema/api/meshes";
import { useCan } from "../../../api/session.ts";
import { useReply } from "../../../api/use-api.ts";
import { Card, Fact, Facts } from "../../../components/layout.tsx";
import { Notice } from "../../../components/states.tsx";
import { formatMoment } from "../../../lib/format.ts";
import { QueryView } from "../../query-view.tsx";
import { DeleteMeshCard } from "./delete-mesh-card.tsx";
import { MeshPoliciesCard } from "./mesh-policies-card.tsx";
import { MeshSettingsForm } from "./mesh-settings-form.tsx";
import { RelayKeyCard } from "./relay-key-card.tsx";

const route = getRouteApi("/shell/meshes/$meshId");

function SettingsTab() {
  const { meshId } = route.useParams();
  const mesh = useReply(getMesh, { params: { meshId } });
  const canChange = useCan(updateMesh);
  return (
    <QueryView query={mesh}>
      {(found) => (
        <div className="flex max-w-3xl flex-col gap-5">
          {!canChange && <Notice tone="info">Your role can look at these settings and not change them.</Notice>}
          <MeshSettingsForm mesh={found} canChange={canChange} />
          <MeshPoliciesCard mesh={found} canChange={canChange} />
          <RelayKeyCard mesh={found} />
          <Card title="For good">
            <Facts>
              <Fact label="Network">
                <span className="font-mono">{found.cidr}</span>
              </Fact>
              <Fact label="IPv6 network">
                <span className="font-mono">{found.cidr6}</span>
              </Fact>
              <Fact label="AS number">{found.asn}</Fact>
              <Fact label="Created">{formatMoment(found.createdAt)}</Fact>
              <Fact label="Id">
                <span className="font-mono text-xs">{found.id}</span>
              </Fact>
            </Facts>
          </Card>
          <DeleteMeshCard mesh={found} />
        </div>
      )}
    </QueryView>
  );
}

export const settingsTab = createLazyRoute("/shell/meshes/$meshId/settings")({ component: SettingsTab });
