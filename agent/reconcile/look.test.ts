import { expect, it } from "vitest";
import { deviceOf, keyOf, MESH_A, peerOf } from "../testing/desired-devices.ts";
import { openReconciler } from "../testing/open-reconciler.ts";

it("makes an interface that somebody took away as soon as it is told to look, also in the middle of a round", async () => {
  const { clock, kernel, reconciler, states } = openReconciler();
  reconciler.setDesired([deviceOf({ peers: [peerOf("P", 2)] })]);
  await reconciler.whenSettled();
  const linkedAtMs = () => states.at(-1)?.meshes.get(MESH_A)?.linkedAtMs;
  const before = linkedAtMs();
  await clock.advance(5_000);

  kernel.links.delete("bkt-a");
  reconciler.look();
  await clock.advance(0);
  expect([...kernel.device("bkt-a").peers.keys()]).toEqual([keyOf("P")]);
  expect(linkedAtMs()).toBe((before ?? 0) + 5_000);

  reconciler.setDesired([deviceOf({ peers: [peerOf("Q", 3)] })]);
  reconciler.look();
  kernel.links.delete("bkt-a");
  reconciler.look();
  await clock.advance(0);
  expect([...kernel.device("bkt-a").peers.keys()]).toEqual([keyOf("Q")]);
});
