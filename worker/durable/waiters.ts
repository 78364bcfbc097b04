// Long-polls that wait for something new. One per machine: a newer poll replaces the older, because a client that went away is not
// seen by the object (workerd 2026-10-23), and its waiter would stay until its time is over.

export interface Waiters<Id extends string, Since> {
  /** The messages, or null when the time is over or a newer connection took the place. */
  hold(machineId: Id, waiting: { readonly since: Since; readonly holdMs: number }): Promise<readonly string[] | null>;
  answer(machineId: Id, reply: readonly string[] | null): void;
  has(machineId: Id): boolean;
  list(): { readonly machineId: Id; readonly since: Since }[];
}

export function createWaiters<Id extends string, Since>(): Waiters<Id, Since> {
  const waiters = new Map<Id, { since: Since; finish: (reply: readonly string[] | null) => void }>();
  return {
    hold(machineId, { since, holdMs }) {
      waiters.get(machineId)?.finish(null);
      return new Promise((resolve) => {
        const timer = setTimeout(() => waiter.finish(null), holdMs);
        const waiter = {
          since,
          finish(reply: readonly string[] | null) {
            clearTimeout(timer);
            if (waiters.get(machineId) === waiter) waiters.delete(machineId);
            resolve(reply);
          },
        };
        waiters.set(machineId, waiter);
      });
    },
    answer: (machineId, reply) => waiters.get(machineId)?.finish(reply),
    has: (machineId) => waiters.has(machineId),
    list: () => [...waiters].map(([machineId, { since }]) => ({ machineId, since })),
  };
}
