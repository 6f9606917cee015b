// What the page asks its server for, and the token that it shows.

const KEPT = "ray_router.token";

/** Nobody is let in without a token, or with this one. */
export class NotLetIn extends Error {}

/** The token of the address, which is taken out of it at once; else the one of this tab. */
export function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    keep(given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEPT);
}

/** Remember a token for as long as the tab is open; null forgets it. */
export function keep(value) {
  if (value === null) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, value);
}

async function asked(path, options = {}) {
  const shown = token();
  if (!shown) throw new NotLetIn();
  const answer = await fetch(path, {
    ...options,
    cache: "no-store",
    headers: { ...options.headers, Authorization: `Bearer ${shown}` },
    signal: AbortSignal.timeout(15_000),
  });
  if (answer.status === 401) throw new NotLetIn();
  if (!answer.ok) throw new Error(`the server says ${answer.status} ${answer.statusText}`);
  return answer.json();
}

/** The router as it is; `since` is the time of the last point that is known. */
export const state = (since) => asked(`api/state?since=${since}`);

/** A question about a key, answered. */
export const explanation = (question) =>
  asked("api/explain", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(question),
  });
