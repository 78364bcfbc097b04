import { useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";

/** Goes to the sign-in page, once: it stays drawn until that page is there, and the address has changed by then. */
export function ToSignIn() {
  const router = useRouter();
  const navigate = useNavigate();
  // biome-ignore lint/correctness/useExhaustiveDependencies: where somebody was is where they were when this appeared.
  useEffect(() => {
    const { href } = router.state.location;
    void navigate({ to: "/sign-in", search: href === "/" ? {} : { returnTo: href }, replace: true });
  }, []);
  return null;
}
