// The three numbers that matter, on Airflow's home page and at the top of the page.

import { ask, hostedPage } from "../addresses.js";
import { h, time } from "../dom.js";
import { formatDuration, secondsSince } from "../format.js";
import { fill } from "../parts.js";

const LATE_SECONDS = 26 * 3600; // a nightly harvest, and two hours for it

/** Returns the numbers as tiles. */
export function numbers(summary) {
  const age = summary.harvested_at ? secondsSince(summary.harvested_at) : null;
  const tiles = [
    tile("running", summary.running, summary.running ? "running" : ""),
    tile("failed", summary.broken, summary.broken ? "failed" : ""),
    tile(
      "since the last harvest",
      summary.harvested_at ? time(summary.harvested_at, formatDuration(age)) : "never",
      age !== null && age > LATE_SECONDS ? "starting" : "",
    ),
  ];
  if (summary.open_events !== null) {
    tiles.push(tile("open events", summary.open_events, summary.open_events ? "failed" : ""));
  }
  return tiles;
}

const tile = (label, value, kind) =>
  h("div", { class: `tile ${kind}` }, h("strong", null, value), h("span", null, label));

/** Shows the panel. */
export function showPanel(root, signal) {
  const place = h("div", { class: "numbers" });
  root.append(
    h(
      "section",
      { class: "panel", "aria-label": "QuantConnect live" },
      h("header", null, h("h2", null, "QuantConnect live"), h("a", { href: hostedPage("/") }, "All deployments")),
      place,
    ),
  );
  fill(place, "the numbers", () => ask("summary", {}, signal), numbers, signal);
}
