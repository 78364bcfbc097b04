import { expect, test } from "vitest";
import { createAgentBuildReader } from "./agent-build.ts";

const BUILD = { version: "0.2.0", sha256: "b".repeat(64) };

function createReader() {
  const state = { answer: (): Response => Response.json(BUILD), nowMs: 0, asked: 0 };
  const assets = {
    async fetch() {
      state.asked += 1;
      return state.answer();
    },
  };
  return { state, reader: createAgentBuildReader(assets, () => state.nowMs) };
}

test("the agent that is handed out is looked up once for many lists, and anew where it counts", async () => {
  const { state, reader } = createReader();
  expect([await reader.recent(), await reader.recent()]).toEqual([BUILD, BUILD]);
  expect(state.asked).toBe(1);
  const newer = { ...BUILD, sha256: "c".repeat(64) };
  state.answer = () => Response.json(newer);
  expect(await reader.read()).toEqual(newer);
  state.nowMs = 60_000;
  state.answer = () => {
    throw new Error("no assets");
  };
  expect(await reader.recent()).toEqual(newer);
  await expect(reader.read()).rejects.toThrow("no assets");
});

test.each([new Response(null, { status: 404 }), new Response("<html>"), Response.json({ version: "1", sha256: "x" })])(
  "there is none where the static files have none that can be read",
  async (response) => {
    const { state, reader } = createReader();
    state.answer = () => response;
    expect(await reader.recent()).toBeNull();
  },
);
