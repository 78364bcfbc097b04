import { expect, it } from "vitest";
import { renderItem, renderList } from "./render-reply.ts";

it("shows a list's fields as columns, and what people know things by", () => {
  const items = [
    { name: "alice", online: true, lastSeenAt: null, meshes: [{ meshName: "office", address: "10.77.0.1" }] },
    { name: "bob", online: false, lastSeenAt: "2026-11-26T06:30:00.000Z", meshes: [] },
  ];
  expect(renderList(items, ["name", "online", "lastSeenAt", "meshes"]).split("\n")).toEqual([
    "NAME   ONLINE  LAST SEEN                 MESHES",
    "alice  yes     -                         10.77.0.1 (office)",
    "bob    no      2026-11-26T06:30:00.000Z  -",
  ]);
});

it("lets no text of others speak to the terminal", () => {
  const told = { name: "\u001b[2Jbob\nadmin", failures: [{ message: "no\u001b]0;owned\u0007way" }] };
  expect(renderItem(told)).toBe("name      \uFFFD[2Jbob\uFFFDadmin\nfailures  no\uFFFD]0;owned\uFFFDway");
  expect(renderList([told], ["name"])).not.toContain("\u001b");
});

it("says that a list is empty", () => {
  expect(renderList([], ["name"])).toBe("There is none.");
});

it("shows one thing field by field", () => {
  const vip = { name: "db", healthCheck: { type: "tcp", target: ":5432", intervalSeconds: 5 }, machineIds: [] };
  expect(renderItem(vip).split("\n")).toEqual(["name         db", "healthCheck  tcp :5432", "machineIds   -"]);
});
