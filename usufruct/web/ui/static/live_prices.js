// A page's live prices: one stream for all of them. Each is marked live, or stale with its age; a tap pauses them.

const AGAIN_MILLISECONDS = 30_000;  // after a refused stream
const JUST_NOW = 5;  // seconds; below it no age is shown
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

const state = document.getElementById("live");
const age = state.querySelector("[data-age]");
const pause = document.getElementById("live-pause");
const language = document.documentElement.lang;
const ages = new Intl.RelativeTimeFormat(language, { style: "short" });
const prices = new Map();

let staleAfter = Number(state.dataset.staleAfter);
let ahead = 0;  // seconds that the server's clock is ahead of ours
let source = null;
let waiting = 0;
let paused = false;

const shown = () => [...document.querySelectorAll("[data-price]")];

// Two digits after the point, below 1 four significant ones: as the server writes a price.
function written(price) {
  const most = price >= 1 ? 2 : Math.max(2, Math.min(12, 3 - Math.floor(Math.log10(price))));
  return new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: most }).format(price);
}

function draw() {
  const now = Date.now() / 1000 + ahead;
  let newest = 0;
  for (const each of shown()) {
    const known = prices.get(each.dataset.price);
    if (known && written(known.price) !== each.textContent) each.textContent = written(known.price);
    if (known) each.dataset.at = known.at;
    newest = Math.max(newest, Number(each.dataset.at));
    const mark = document.querySelector(`[data-stale="${CSS.escape(each.dataset.price)}"]`);
    if (mark) mark.hidden = now - each.dataset.at < staleAfter;
  }
  const seconds = Math.max(0, Math.floor(now - newest));
  const current = paused ? "paused" : seconds < staleAfter ? "live" : "stale";
  for (const each of state.querySelectorAll("[data-state]")) each.hidden = each.dataset.state !== current;
  const [unit, length] = UNITS.find(([, most]) => seconds >= most) ?? UNITS.at(-1);
  age.textContent = seconds < JUST_NOW && !paused ? "" : ages.format(-Math.floor(seconds / length), unit);
}

function take({ now, staleAfter: bound, prices: found }) {
  ahead = now - Date.now() / 1000;
  staleAfter = bound;
  for (const each of found) prices.set(each.asset, each);
  draw();
}

function close() {
  clearTimeout(waiting);
  source?.close();
  source = null;
}

function open() {
  close();
  const assets = [...new Set(shown().map((each) => each.dataset.price))].join();
  if (!assets || paused || document.hidden) return;
  const query = new URLSearchParams({ assets });
  source = new EventSource(`${state.dataset.stream}?${query}`);
  source.addEventListener("prices", ({ data }) => take(JSON.parse(data)));
  source.addEventListener("error", ({ target }) => target.readyState === EventSource.CLOSED && refused(query));
}

// All streams are taken: the prices of now, and the stream again later. A browser opens one that was cut itself.
async function refused(query) {
  waiting = setTimeout(open, AGAIN_MILLISECONDS);
  try {
    const answer = await fetch(`${state.dataset.prices}?${query}`);
    if (answer.ok) take(await answer.json());
  } catch { /* the ages grow */ }
}

pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", paused);
  open();
  draw();
});

document.addEventListener("visibilitychange", open);  // a hidden page takes no connection
document.addEventListener("htmx:after:swap", open);  // other assets are shown
setInterval(() => paused || document.hidden || draw(), 1000);
open();
