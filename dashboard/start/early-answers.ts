// Answers that start.ts has asked for before there was a client.

export interface EarlyAnswers {
  becketAnswers?: Map<string, Promise<Response>>;
}

type Fetch = (path: string, init: RequestInit) => Promise<Response>;

/**
 * Gives each early answer once, to the first who asks the same without a token. Nobody gets one any more when something was sent: that may
 * have signed somebody in.
 */
export function createEarlyFetch(fetch: Fetch, { becketAnswers: answers = new Map() }: EarlyAnswers): Fetch {
  return (path, init) => {
    if (init.method !== "GET") answers.clear();
    const isSame = !new Headers(init.headers).has("authorization");
    const answer = isSame ? answers.get(path) : undefined;
    answers.delete(path);
    return answer ?? fetch(path, init);
  };
}
