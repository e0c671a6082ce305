// Small parts that several views share.

import { h } from "./dom.js";
import { formatDuration, phaseName, secondsSince } from "./format.js";

/** Returns a deployment's status: a colour, its word, and since when. */
export function statusPill(row) {
  const since = row.phase.startsWith("over") ? row.stopped_at : row.launched_at;
  const name = phaseName(row.phase);
  return h(
    "span",
    { class: "status" },
    h(
      "span",
      { class: `pill ${name}` },
      h("span", { class: "dot", "aria-hidden": "true" }),
      row.status ?? "unknown",
      h("span", { class: "unseen" }, ` (${name})`),
    ),
    since
      ? h("span", { class: "muted small", title: row.phase.startsWith("over") ? "since it stopped" : "since it was launched" }, `for ${formatDuration(secondsSince(since))}`)
      : null,
  );
}

export const projectName = (row) => row.project_name || `Project ${row.project_id}`;

/** Returns a link to another site, in a tab of its own. */
export const external = (href, text) =>
  h("a", { href, target: "_blank", rel: "noopener noreferrer" }, text, h("span", { "aria-hidden": "true" }, " ↗"));

/** Returns what stands in for a part that is being read. */
export const loading = (what) =>
  h("p", { class: "loading", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), `Reading ${what} …`);

/** Returns what stands in for a part that cannot be read, with a way to try again. */
export const failure = (error, again) =>
  h(
    "div",
    { class: "failure", role: "alert" },
    h("p", null, error.message),
    again ? h("button", { type: "button", click: again }, "Try again") : null,
  );

export const emptyState = (title, ...more) => h("div", { class: "empty-state" }, h("h2", null, title), more);

/** Who works with the keyboard stays at the button that was pressed, or at its like in the new content. */
function replaceKeepingFocus(place, children) {
  const active = place.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  place.replaceChildren(...children);
  if (active) place.querySelector(`[data-focus="${CSS.escape(active)}"]`)?.focus({ preventScroll: true });
}

const turns = new WeakMap();

/**
 * Shows a part once it is read; loading and failing meanwhile. Old content stays while it is read again, and an
 * answer that comes after a newer question was asked is dropped.
 */
export async function fill(place, what, read, show, signal) {
  const turn = (turns.get(place) ?? 0) + 1;
  turns.set(place, turn);
  const isLatest = () => !signal.aborted && turns.get(place) === turn;
  if (!place.childElementCount) place.replaceChildren(loading(what));
  place.setAttribute("aria-busy", "true");
  try {
    const value = await read();
    if (isLatest()) replaceKeepingFocus(place, [show(value)].flat());
  } catch (error) {
    if (isLatest()) place.replaceChildren(failure(error, () => fill(place, what, read, show, signal)));
  } finally {
    if (isLatest()) place.removeAttribute("aria-busy");
  }
}

/** Returns a field that says what is typed into it. */
export const searchField = (value, placeholder, type) =>
  h("input", { type: "search", value, placeholder, maxlength: 100, input: (event) => type(event.target.value) });
