// Numbers and times as a person reads them.

const DASH = "–";
const money = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const decimals = new Intl.NumberFormat("en-US", { maximumFractionDigits: 4 });
const STEPS = [
  ["d", 86400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
];

export const formatMoney = (value) => (value == null ? DASH : money.format(value));
export const formatNumber = (value) => (value == null ? DASH : decimals.format(value));
export const formatPercent = (value, digits = 0) => (value == null ? DASH : `${(100 * value).toFixed(digits)} %`);

/** A length of time in its largest unit: 41 d, 3 h, 12 min. */
export function formatDuration(seconds) {
  if (seconds == null || Number.isNaN(seconds)) return DASH;
  const size = Math.max(0, seconds);
  const [unit, length] = STEPS.find(([, each]) => size >= each) ?? STEPS.at(-1);
  const value = size / length;
  return `${unit === "s" && value < 10 ? value.toFixed(1) : Math.floor(value)} ${unit}`;
}

export const secondsSince = (iso) => (Date.now() - Date.parse(iso)) / 1000;
export const formatAge = (iso) => (iso ? `${formatDuration(secondsSince(iso))} ago` : "never");

/** A moment in UTC: 2026-11-02 15:04. */
export const formatMoment = (iso) => (iso ? iso.slice(0, 16).replace("T", " ") : DASH);

/** A brokerage's id without what all of them have in common. */
export const formatBrokerage = (id) => (id ? id.replace(/Brokerage$/, "").replace(/([a-z])([A-Z])/g, "$1 $2") : DASH);

const PHASES = {
  starting: "starting",
  running: "running",
  over_well: "ended",
  over_badly: "failed",
  unknown: "unknown",
};
export const phaseName = (phase) => PHASES[phase] ?? "unknown";

const OPEN_COUNTED_TO = 1000; // the server counts no further

/** Returns how many insights are open; they are counted up to a limit. */
export const formatOpen = (count) => (count >= OPEN_COUNTED_TO ? `${OPEN_COUNTED_TO}+` : String(count));
