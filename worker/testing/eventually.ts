// For reads of what an outbox delivers: tries again at once, and yields to the event loop between. Changes are never made inside.

/** Throws the check's last error when it has not held within the limit. */
export async function eventually<T>(check: () => Promise<T>, withinMs = 3_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await scheduler.wait(10);
  }
}
