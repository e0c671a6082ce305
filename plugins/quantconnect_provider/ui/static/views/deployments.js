// The table of deployments.

import { actionLink, actionsFor } from "../actions.js";
import { ask, viewHref } from "../addresses.js";
import { sparkline } from "../charts.js";
import { debounce, h, time } from "../dom.js";
import { formatAge, formatBrokerage, formatMoney, formatOpen, formatPercent, secondsSince } from "../format.js";
import { emptyState, fill, projectName, searchField, statusPill } from "../parts.js";
import { readState, writeState } from "../state.js";
import { pager, table } from "../table.js";
import { numbers } from "./panel.js";

const DEFAULTS = { show: "current", search: "", sort: "urgency", descending: "false", offset: "0" };
const LIMIT = 50;
const STALE_SECONDS = 26 * 3600; // a nightly harvest, and two hours for it
const REFRESH_MILLISECONDS = 60_000;
const SHOWN = { current: "Newest of each project", running: "Running", broken: "Failed", all: "All" };

/** Shows the view; returns a function that follows a changed address. */
export function showDeployments(root, { host, signal }) {
  const summary = h("div", { class: "numbers", "aria-live": "polite" });
  const list = h("section", { "aria-label": "Deployments" });
  const found = h("p", { class: "unseen", role: "status" });
  const change = (changes) => writeState("/", { ...readState(DEFAULTS), offset: "0", ...changes }, DEFAULTS);
  root.append(
    h("header", { class: "top" }, h("h1", null, "QuantConnect live"), actionLink("deploy", null, host)),
    summary,
    toolbar(change),
    found,
    list,
  );

  let drawing = new AbortController();
  const update = () => {
    const state = readState(DEFAULTS);
    fill(summary, "the numbers", () => ask("summary", {}, signal), numbers, signal);
    fill(
      list,
      "the deployments",
      () => ask("deployments", { ...state, limit: LIMIT }, signal),
      (page) => {
        drawing.abort();
        drawing = new AbortController();
        found.textContent = `${page.total} deployments`;
        return content(page, state, change, host, drawing.signal);
      },
      signal,
    );
  };
  // Not while someone is at a link of the table: it would be replaced below their fingers.
  const timer = setInterval(() => {
    if (document.visibilityState === "visible" && !list.contains(document.activeElement)) update();
  }, REFRESH_MILLISECONDS);
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    drawing.abort();
  });
  update();
  return update;
}

function toolbar(change) {
  const state = readState(DEFAULTS);
  const type = debounce((text) => change({ search: text }), 250);
  return h(
    "form",
    { class: "toolbar", role: "search", submit: (event) => event.preventDefault() },
    h("label", null, "Search ", searchField(state.search, "project, brokerage, id", type)),
    h(
      "label",
      null,
      "Show ",
      h(
        "select",
        { change: (event) => change({ show: event.target.value }) },
        Object.entries(SHOWN).map(([value, text]) => h("option", { value, selected: value === state.show }, text)),
      ),
    ),
  );
}

function content(page, state, change, host, signal) {
  if (!page.total && state.show === DEFAULTS.show && !state.search) {
    return emptyState(
      "No deployments yet",
      h("p", null, "They appear here once a project is deployed and a harvest or the watch has seen it."),
      actionLink("deploy", null, host),
    );
  }
  const sorting = {
    key: state.sort,
    descending: state.descending === "true",
    change: (sort, descending) => change({ sort, descending }),
  };
  return [
    table({
      caption: "Live deployments",
      kind: "deployments",
      columns: columns(page, host, signal),
      rows: page.rows,
      sorting,
      empty: "No deployment matches.",
    }),
    pager({ offset: Number(state.offset), limit: LIMIT, total: page.total, change: (offset) => change({ offset }) }),
  ];
}

function columns(page, host, signal) {
  const all = [
    { title: "Project", sort: "project", cell: projectCell },
    { title: "Brokerage", sort: "brokerage", cell: (row) => formatBrokerage(row.brokerage) },
    { title: "Status", sort: "status", cell: statusPill },
    { title: "Equity", numeric: true, watched: true, cell: (row) => equityCell(row, signal) },
    { title: "Open insights", numeric: true, cell: (row) => formatOpen(row.open_insights) },
    {
      title: "Hit rate",
      numeric: true,
      hint: "Share of the project's scored insights whose direction was right",
      cell: (row) => formatPercent(row.hit_rate),
    },
    { title: "Last harvest", sort: "harvested", cell: (row) => time(row.harvested_at, formatAge(row.harvested_at)) },
    {
      title: "Seen",
      hint: "When QuantConnect last said what this row shows",
      cell: seenCell,
    },
    { title: "Events", numeric: true, watched: true, cell: eventsCell },
    { title: "Actions", cell: (row) => actions(row, host) },
  ];
  // Who may not see what the watch found gets no empty columns for it.
  const watched = page.rows.every((row) => row.open_events !== null);
  return all.filter((column) => watched || !column.watched);
}

const projectCell = (row) => [
  h("a", { href: viewHref(`/deployment/${encodeURIComponent(row.deploy_id)}`), class: "name" }, projectName(row)),
  h("span", { class: "muted small" }, String(row.project_id)),
];

const equityCell = (row, signal) =>
  h(
    "span",
    { class: "equity" },
    row.sparkline.length > 1 ? sparkline(row.sparkline, signal) : null,
    h("span", null, formatMoney(row.equity)),
  );

// What may still trade and was not seen for long is shown as it was, which may not be as it is.
function seenCell(row) {
  const stale = !row.phase.startsWith("over") && secondsSince(row.seen_at) > STALE_SECONDS;
  const seen = time(row.seen_at, formatAge(row.seen_at));
  return stale ? h("span", { class: "pill starting" }, seen) : seen;
}

const eventsCell = (row) =>
  row.open_events ? h("span", { class: "pill failed" }, `${row.open_events} open`) : h("span", { class: "muted" }, "0");

const actions = (row, host) =>
  h("span", { class: "actions" }, actionsFor(row).map((name) => actionLink(name, row.project_id, host, projectName(row))));
