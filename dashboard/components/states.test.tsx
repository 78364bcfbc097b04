import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { EmptyState, ErrorState, LoadingState } from "./states.tsx";

describe("what stands where data would", () => {
  it("names the request that failed, so that the log can be searched, and offers to try again", () => {
    const html = renderToStaticMarkup(
      <ErrorState title="It failed" detail="why" requestId="req_1" onRetry={() => {}} />,
    );
    expect(html).toContain('role="alert"');
    for (const text of ["It failed", "why", "req_1", "Try again"]) expect(html).toContain(text);
  });

  it("says that it loads to those who can't see it", () =>
    expect(renderToStaticMarkup(<LoadingState label="Loading machines" />)).toContain('aria-label="Loading machines"'));

  it("has a heading where it is the whole page", () => {
    expect(renderToStaticMarkup(<EmptyState icon={null} title="Nothing" isWholePage />)).toContain("<h1");
    expect(renderToStaticMarkup(<EmptyState icon={null} title="Nothing" />)).not.toContain("<h1");
  });
});
