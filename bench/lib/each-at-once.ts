/** Does `work` with each entry in order, `atOnce` of them at any moment: the next begins when one is done. Rejects with the first failure. */
export async function eachAtOnce<T>(
  atOnce: number,
  entries: readonly T[],
  work: (entry: T) => Promise<void>,
): Promise<void> {
  const left = entries.values();
  const worker = async () => {
    for (const entry of left) await work(entry);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
