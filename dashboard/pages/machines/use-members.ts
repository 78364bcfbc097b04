import { useQueries } from "@tanstack/react-query";
import { getMember } from "#schema/api/members";
import type { Member, Membership } from "#schema/machine";
import { usePlanEvery } from "../../api/live/use-live.ts";
import { LIST_EVERY_MS } from "../../api/pace.ts";
import { replyQuery, useClient } from "../../api/use-api.ts";

/** What each of its meshes knows of a machine, in their order; null until it has told. */
export function useMembers(machineId: string, meshes: readonly Membership[]): (Member | null)[] {
  const client = useClient();
  const planEvery = usePlanEvery();
  return useQueries({
    queries: meshes.map(({ meshId }) => {
      const query = replyQuery(client, getMember, { params: { meshId, machineId } });
      return { ...query, refetchInterval: planEvery(query.queryKey, LIST_EVERY_MS) };
    }),
  }).map(({ data }) => data ?? null);
}
