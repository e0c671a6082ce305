// Charts by uPlot, in the page's colours, each with a text that says the same.

import { h } from "./dom.js";
import { formatMoney, formatPercent } from "./format.js";
import uPlot from "./vendor/uplot/uPlot.esm.js";

const colour = (element, name) => getComputedStyle(element).getPropertyValue(`--qc-${name}`).trim();

/** Draws a chart once its place is in the document, as wide as that, and keeps it so. */
function draw(place, height, signal, make) {
  const frame = requestAnimationFrame(() => {
    if (signal.aborted || !place.isConnected) return;
    const { options, data } = make(place);
    const size = () => ({ width: Math.max(40, place.clientWidth), height });
    const chart = new uPlot({ ...options, ...size(), ms: 1e-3 }, data, place);
    const watcher = new ResizeObserver(() => chart.setSize(size()));
    watcher.observe(place);
    signal.addEventListener("abort", () => {
      watcher.disconnect();
      chart.destroy();
    });
  });
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));
  return place;
}

const two = (number) => String(number).padStart(2, "0");

/** Labels moments in UTC: days where the marks are days apart, else hours with the day at midnight. */
function timeLabels(_chart, seconds, _axis, _space, step) {
  let day = "";
  return seconds.map((each) => {
    const at = new Date(each * 1000);
    const date = `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
    if (step >= DAY) return date;
    const label = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    const first = date !== day;
    day = date;
    return first ? `${label}\n${date}` : label;
  });
}

const DAY = 86400;

function axes(place, format, daily = false) {
  const line = { stroke: colour(place, "muted"), grid: { stroke: colour(place, "grid"), width: 1 }, ticks: { show: false } };
  return [
    { ...line, grid: { show: false }, values: timeLabels, ...(daily ? { incrs: [1, 2, 7, 14, 28, 91, 364].map((n) => n * DAY) } : {}) },
    { ...line, size: 72, values: (_chart, values) => values.map(format) },
  ];
}

const utc = (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC");
const COMMON = { tzDate: utc, legend: { live: true }, cursor: { points: { size: 6 } } };

/** Returns a line of the newest values. */
export function sparkline(values, signal) {
  const rising = values.at(-1) >= values[0];
  const text = `Equity ${rising ? "rose" : "fell"} from ${formatMoney(values[0])} to ${formatMoney(values.at(-1))}`;
  const place = h("span", { class: "sparkline", role: "img", "aria-label": text, title: text });
  return draw(place, 28, signal, () => ({
    options: {
      axes: [{ show: false }, { show: false }],
      legend: { show: false },
      cursor: { show: false },
      padding: [3, 0, 3, 0],
      scales: { x: { time: false } },
      series: [{}, { stroke: colour(place, rising ? "up" : "down"), width: 1.5, points: { show: false } }],
    },
    data: [values.map((_, index) => index), values],
  }));
}

/** Returns the charts of equity and drawdown. */
export function equityCharts(curve, signal) {
  const lowest = Math.min(...curve.drawdown);
  const equity = h("div", {
    class: "chart",
    role: "img",
    "aria-label": `Equity from ${formatMoney(curve.equity[0])} to ${formatMoney(curve.equity.at(-1))}`,
  });
  const drawdown = h("div", {
    class: "chart",
    role: "img",
    "aria-label": `Drawdown, at worst ${formatPercent(lowest, 1)}`,
  });
  draw(equity, 220, signal, () => line(equity, "Equity", "accent", formatMoney, [curve.times, curve.equity]));
  draw(drawdown, 130, signal, () =>
    line(drawdown, "Drawdown", "down", (value) => formatPercent(value, 1), [curve.times, curve.drawdown]),
  );
  return [h("h3", null, "Equity"), equity, h("h3", null, "Drawdown"), drawdown];
}

function line(place, label, name, format, data) {
  const stroke = colour(place, name);
  return {
    options: {
      ...COMMON,
      cursor: { ...COMMON.cursor, sync: { key: "equity" } },
      axes: axes(place, format),
      series: [
        { label: "UTC", value: "{YYYY}-{MM}-{DD} {HH}:{mm}" },
        { label, stroke, fill: `${stroke}22`, width: 1.5, value: (_chart, value) => (value == null ? "–" : format(value)) },
      ],
    },
    data,
  };
}

const DIRECTIONS = [
  ["up", "Up", "up"],
  ["flat", "Flat", "flat"],
  ["down", "Down", "down"],
];

/** Returns the chart of how many insights said what, from rows [time, direction, count]. */
export function directionChart(rows, signal) {
  const times = [...new Set(rows.map(([time]) => time))];
  const counts = DIRECTIONS.map(([key]) => {
    const found = new Map(rows.filter(([, name]) => name.toLowerCase() === key).map(([time, , count]) => [time, count]));
    return times.map((time) => found.get(time) ?? 0);
  });
  const totals = counts.map((each) => each.reduce((sum, count) => sum + count, 0));
  const text = DIRECTIONS.map(([, label], index) => `${totals[index].toLocaleString("en-US")} ${label.toLowerCase()}`).join(", ");
  const place = h("div", { class: "chart", role: "img", "aria-label": `Insights by direction: ${text}` });
  const stacked = stack(counts);
  return draw(place, 200, signal, () => ({
    options: {
      ...COMMON,
      axes: axes(place, (value) => value.toLocaleString("en-US"), times[0]?.length <= 10),
      scales: {
        x: { range: (_chart, low, high) => [low - half(times), high + half(times)] },
        y: { range: (_chart, _low, high) => [0, Math.max(1, high * 1.05)] },
      },
      series: [
        { label: "UTC", value: times[0]?.length > 10 ? "{YYYY}-{MM}-{DD} {HH}:00" : "{YYYY}-{MM}-{DD}" },
        // The highest first: those after it are drawn over it.
        ...DIRECTIONS.map(([, label, name], index) => ({
          label,
          fill: colour(place, name),
          stroke: colour(place, name),
          width: 0,
          points: { show: false },
          paths: uPlot.paths.bars({ size: [0.8, 40] }),
          value: (_chart, _value, _series, at) => (at == null ? "–" : String(counts[index][at])),
        })).reverse(),
      ],
    },
    data: [times.map((time) => Date.parse(time.length > 10 ? `${time}:00Z` : `${time}T00:00Z`) / 1000), ...stacked.reverse()],
  }));
}

/** Half the time that one bar stands for, in seconds: the outer ones need room. */
const half = (times) => (times[0]?.length > 10 ? 1800 : 43200);

function stack(counts) {
  const sums = counts[0].map(() => 0);
  return counts.map((each) => each.map((count, index) => (sums[index] += count)));
}
