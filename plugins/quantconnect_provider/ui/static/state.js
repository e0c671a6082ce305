// A view's state lives in the address, so that it can be kept, shared and gone back to.

import { route } from "./addresses.js";

/** Returns the state: the defaults, and what the address says otherwise. */
export function readState(defaults) {
  const { query } = route();
  return Object.fromEntries(Object.keys(defaults).map((name) => [name, query.get(name) ?? defaults[name]]));
}

/** Puts what differs from the defaults into the address and lets the page follow. */
export function writeState(path, state, defaults) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (String(value) !== String(defaults[name])) query.set(name, value);
  }
  const text = query.toString();
  const hash = text ? `#${path}?${text}` : `#${path}`;
  if (hash === location.hash) return;
  history.replaceState(history.state, "", `${location.pathname}${location.search}${hash}`);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}
