// Brings what the mesh's outboxes hold to D1 and to Machine objects, one delivery at a time, and clears the object of a closed mesh when that
// is done.
import type { MeshServices } from "./create-mesh.ts";

export interface Delivery {
  /** A change is answered without waiting for this. */
  start(): void;
  /** By alarm. */
  retry(): Promise<void>;
}

export function createDelivery(
  { outbox, notices, storage }: Pick<MeshServices, "outbox" | "notices" | "storage">,
  waitUntil: (promise: Promise<void>) => void,
): Delivery {
  let isDelivering = false;
  let hasMore = false;

  async function deliver(options: { isRetry: boolean }): Promise<void> {
    if (storage.readMesh() === null) return;
    await Promise.all([outbox.drain(options), notices.drain(options)]);
    const isClosed = storage.readMesh()?.closedAt != null;
    if (isClosed && outbox.isEmpty() && notices.isEmpty()) await storage.destroy();
  }

  async function deliverWhileMore(): Promise<void> {
    try {
      while (hasMore) {
        hasMore = false;
        await deliver({ isRetry: false });
      }
    } finally {
      isDelivering = false;
    }
  }

  return {
    start() {
      hasMore = true;
      if (isDelivering) return;
      isDelivering = true;
      waitUntil(deliverWhileMore());
    },
    retry: () => deliver({ isRetry: true }),
  };
}
