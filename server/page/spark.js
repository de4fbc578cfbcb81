// Sparklines of the last minute: what each look saw, so they outlive a look at another screen. For rows that were not looked at, or not
// lately, the server tells when their samples came; it is asked once, behind the first rows, since that is dear.
export const BINS = 30, WIDE = 90, HIGH = 20;
const SPAN_MS = 60000, REMEMBERED = 2000;
const LATE_MS = 5000; // between two looks that are further apart only the average is known: it is drawn paler
const seen = new Map(); // session, type, name -> [[ms, samples], …]

// `spark`: how many came in each bin, or null.
export function remember(key, samples, spark) {
  const now = performance.now(), wide = SPAN_MS / BINS, from = spark ? spark.findIndex((n) => n !== null) : -1;
  let list = (seen.get(key) || []).filter(([at]) => now - at < SPAN_MS + 5000);
  if (list.length && list[list.length - 1][1] > samples) list.length = 0; // it was forgotten
  const unknown = !list.length || now - list[list.length - 1][0] > LATE_MS;
  if (from >= 0) {
    let sum = samples - spark.slice(from).reduce((a, b) => a + b, 0);
    list = [[now - (BINS - from) * wide, sum]];
    for (let k = from; k < BINS; k++) list.push([now - (BINS - 1 - k) * wide, sum += spark[k]]);
  } else list.push([now, samples]);
  seen.delete(key); // so that the map is in order of the last look
  seen.set(key, list);
  if (seen.size > REMEMBERED) seen.delete(seen.keys().next().value);
  return {list, unknown};
}

// Two paths: what is known of each bin, and what is an average over many.
export function bars(list) {
  const known = new Array(BINS).fill(0), average = new Array(BINS).fill(0), now = list[list.length - 1][0], wide = SPAN_MS / BINS;
  const bin = (at) => Math.max(0, BINS - 1 - Math.floor((now - at) / wide));
  for (let i = 1; i < list.length; i++) {
    const [from, before] = list[i - 1], [to, after] = list[i];
    if (after === before) continue;
    const late = to - from > LATE_MS, first = late ? bin(from) : bin(to - Math.min(to - from, wide)), last = bin(to);
    for (let k = first; k <= last; k++) (late ? average : known)[k] += (after - before) / (last - first + 1);
  }
  const most = Math.max(...known.map((n, k) => n + average[k]), 1e-9), x = (k) => (k * WIDE / BINS).toFixed(1);
  const path = (bins) => bins.map((n, k) => (n ? `M${x(k)} ${HIGH}V${(HIGH - Math.max(1.5, (HIGH - 1) * n / most)).toFixed(1)}H${x(k + 0.85)}V${HIGH}Z` : '')).join('');
  return [path(known), path(average)];
}
