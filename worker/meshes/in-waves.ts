/** Calls at once. */
const WAVE = 16;

export async function inWaves<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += WAVE) {
    await Promise.all(items.slice(start, start + WAVE).map(act));
  }
}
