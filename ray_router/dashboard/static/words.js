// Numbers as people read them.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const TENTHS = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const count = (value) => (value === null ? "–" : WHOLE.format(value));

export const compact = (value) => (value < 10_000 ? WHOLE.format(value) : SHORT.format(value));

/** A rate: small ones with a tenth, so that little traffic is not none. */
export function rate(value) {
  if (value === null) return "–";
  return value > 0 && value < 10 ? TENTHS.format(value) : WHOLE.format(value);
}

export const percent = (share) => (share === null ? "–" : `${TENTHS.format(100 * share)} %`);

export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let [size, unit] = [value, 0];
  for (; size >= 1000 && unit < units.length - 1; unit += 1) size /= 1000;
  return `${unit && size < 100 ? TENTHS.format(size) : WHOLE.format(size)} ${units[unit]}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

export const clock = (epoch) => new Date(epoch * 1000).toLocaleTimeString("en-GB");
