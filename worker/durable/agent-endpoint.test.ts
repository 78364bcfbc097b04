import { expect, test } from "vitest";
import { ok } from "#schema/result";
import type { Failure } from "../failure.ts";
import { createMachineId, toObject } from "../testing/fake-agent.ts";
import { createAgentHandler } from "./agent-endpoint.ts";

test("a machine that is removed while its body is under way is refused", async () => {
  let refusal: Failure | null = null;
  const handle = createAgentHandler(
    {
      refusalOf: () => refusal,
      openSocket: () => ok(new Response()),
      poll: async () => ok([]),
      post: () => ok(['{"secret":true}']),
    },
    Date.now,
  );
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const send = toObject({ fetch: (request) => handle(new Request(request, { body: readable })) }, createMachineId());
  const answer = send({ method: "POST", body: "replaced by the stream" });
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode('{"messages":'));
  refusal = { code: "not_a_member" };
  await writer.write(new TextEncoder().encode("[]}"));
  await writer.close();
  const response = await answer;
  expect([response.status, (await response.json()) as unknown]).toMatchObject([403, { code: "not_a_member" }]);
});
