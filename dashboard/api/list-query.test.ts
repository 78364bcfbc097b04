import { QueryClient } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { listMeshes } from "#schema/api/meshes";
import type { ApiClient } from "./client.ts";
import { listQuery } from "./use-api.ts";

/** A client whose lists come in two halves, the second when it is let. */
function createHalves() {
  const halves: (() => void)[] = [];
  const list = (_operation: unknown, _input: unknown, { onMore }: { onMore?: (items: unknown[]) => void }) =>
    new Promise((resolve) => {
      onMore?.(["first"]);
      halves.push(() => resolve(["first", "second"]));
    });
  return { client: { list } as unknown as ApiClient, finish: () => halves.shift()?.() };
}

it("shows a long list as it comes, and later keeps the old one until the new one is whole", async () => {
  const queries = new QueryClient();
  const { client, finish } = createHalves();
  const query = listQuery(client, listMeshes, {});
  const read = () => queries.getQueryData(query.queryKey);

  const first = queries.fetchQuery(query);
  expect(read()).toEqual(["first"]);
  expect(queries.isFetching()).toBe(1);
  finish();
  await first;
  expect(read()).toEqual(["first", "second"]);

  const again = queries.fetchQuery({ ...query, staleTime: 0 });
  expect(read()).toEqual(["first", "second"]);
  finish();
  await again;
});
