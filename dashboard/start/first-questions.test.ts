import { QueryClient } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { listMachines } from "#schema/api/machines";
import { listMeshes } from "#schema/api/meshes";
import { createClient } from "../api/client.ts";
import { meQuery } from "../api/session.ts";
import { listQuery } from "../api/use-api.ts";
import { FIRST_QUESTIONS } from "./first-questions.ts";

it("are those that the frame asks", async () => {
  const asked: string[] = [];
  const client = createClient({
    readToken: () => null,
    async fetch(path) {
      asked.push(path);
      throw new Error("no answer");
    },
  });
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  await queries.prefetchQuery(meQuery(client));
  await queries.prefetchQuery(listQuery(client, listMachines, {}));
  await queries.prefetchQuery(listQuery(client, listMeshes, {}));
  expect(asked).toEqual(FIRST_QUESTIONS);
});
