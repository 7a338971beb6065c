// An interactive chart of days, by uPlot: zoom by buttons or by dragging over a range, a crosshair by pointer, finger or
// the slider below, which a keyboard moves. It draws in the page's colours and moves nothing by itself.

import { ConnectionLost, contentOf, fetchAnswer } from "./page.js";
import uPlot from "./third_party/uplot/uPlot.js";

const HEIGHT = 320;
const LEAST_POINTS = 8;
const STEP = 0.5;  // of what is shown, for zooming and moving
const DAY = 86_400;
const DASHES = [[], [7, 5], [2, 3]];

const language = document.documentElement.lang.replace(/^en$/, "en-GB");  // "31 Jan 2026", as the server writes days
const format = (options) => {
  const made = new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options });
  return (seconds) => made.format(seconds * 1000);
};
const wholeDay = format({ day: "numeric", month: "short", year: "numeric" });
const dayOfMonth = format({ day: "numeric", month: "short" });
const monthOfYear = format({ month: "short", year: "numeric" });
const short = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: 4 });
const exact = new Intl.NumberFormat(language, { maximumSignificantDigits: 7 });

function stylesheet() {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = new URL("./third_party/uplot/uPlot.css", import.meta.url).href;
  const loaded = new Promise((resolve, reject) => {
    link.onload = resolve;
    link.onerror = () => reject(new ConnectionLost());
  });
  document.head.append(link);
  return loaded;
}

let styled = null;

// Puts the chart in place of the button that asked for it; throws when its data cannot be had.
export async function drawChart(button) {
  const [answer] = await Promise.all([fetchAnswer(button.dataset.chart), styled ??= stylesheet()]);
  const content = await contentOf(answer);
  if (!answer.ok) throw new Error(content.error.message);
  const { times, lines } = content;
  const names = JSON.parse(button.dataset.names);
  const shown = lines.filter(({ name }) => name in names);
  const frame = button.nextElementSibling.content.cloneNode(true).firstElementChild;
  button.replaceWith(frame);
  const chart = new Chart(frame, times, shown.map(({ name, values }) => ({ label: names[name], values })));
  chart.listen();
  frame.querySelector("[data-zoom]").focus();
}

class Chart {
  constructor(frame, times, lines) {
    this.frame = frame;
    this.times = times;
    this.lines = lines;
    this.place = frame.querySelector("[data-plot]");
    this.slider = frame.querySelector("input");
    this.readout = frame.querySelector("output");
    this.slider.max = times.length - 1;
    this.range = [times[0], times.at(-1)];
    this.say(times.length - 1);
    this.draw();
  }

  // Colours are read when they are drawn: again when the reader's system turns dark or light.
  draw() {
    const [min, max] = this.range;
    this.plot?.destroy();
    const style = getComputedStyle(this.frame);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const axis = { stroke: colour("quiet"), font: `12px ${style.fontFamily}`, grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } };
    const days = (plot, splits, at, space, step) => splits.map(step < 28 * DAY ? dayOfMonth : monthOfYear);
    this.plot = new uPlot({
      width: this.place.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false } },
      scales: { x: { min, max } },
      axes: [{ ...axis, values: days, space: 70 }, { ...axis, values: (plot, splits) => splits.map((each) => short.format(each)), size: 56 }],
      series: [{}, ...this.lines.map(({ label }, at) => ({ label, stroke: colour(at ? "ink" : "accent"), width: 2, dash: DASHES[at % DASHES.length], spanGaps: false, points: { show: false } }))],
      hooks: {
        setScale: [(plot, name) => { if (name === "x") this.range = [plot.scales.x.min, plot.scales.x.max]; }],
        setCursor: [(plot) => plot.cursor.event && plot.cursor.idx !== null && this.say(plot.cursor.idx)],
        draw: [(plot) => this.mark(plot)],
      },
    }, [this.times, ...this.lines.map(({ values }) => values)], this.place);
    this.plot.over.classList.add("plot");
  }

  // What the crosshair is at, in words: for eyes, and as the slider's value for screen readers.
  say(at) {
    this.at = at;
    const values = this.lines.map(({ label, values }) => `${label} ${values[at] === null ? "–" : exact.format(values[at])}`);
    this.readout.textContent = [wholeDay(this.times[at]), ...values].join(" · ");
    this.slider.value = at;
    this.slider.setAttribute("aria-valuetext", this.readout.textContent);
  }

  // Chooses a point, and shows the part of the chart that has it.
  point(at) {
    this.say(at);
    const [time, [min, max]] = [this.times[at], this.range];
    if (time < min || time > max) this.show(time - (max - min) / 2, max - min);
    else this.mark(this.plot);
  }

  // Puts the crosshair where the chosen point is now, which a zoom moves.
  mark(plot) {
    const [time, value, [min, max]] = [this.times[this.at], this.lines[0].values[this.at], this.range];
    const isShown = time >= min && time <= max;
    const top = value === null ? 0 : plot.valToPos(value, "y");
    plot.setCursor(isShown ? { left: plot.valToPos(time, "x"), top } : { left: -10, top: -10 }, false);
  }

  // Shows so many seconds from a moment on, within the data.
  show(from, length) {
    const [first, last] = [this.times[0], this.times.at(-1)];
    const room = Math.min(last - first, Math.max(length, LEAST_POINTS * DAY));
    const min = Math.max(first, Math.min(from, last - room));
    this.plot.setScale("x", { min, max: min + room });
  }

  press({ zoom, move, all }) {
    const [min, max] = this.range;
    const length = max - min;
    if (zoom === "in") this.show(min + length * STEP / 2, length * STEP);
    if (zoom === "out") this.show(min - length / 2, length / STEP);
    if (move) this.show(min + Number(move) * length * STEP, length);
    if (all !== undefined) this.show(this.times[0], this.times.at(-1) - this.times[0]);
  }

  listen() {
    this.frame.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) this.press(button.dataset);
    });
    this.slider.addEventListener("input", () => this.point(Number(this.slider.value)));
    this.place.addEventListener("pointermove", (event) => event.pointerType !== "mouse" && this.follow(event));
    this.place.addEventListener("pointerdown", (event) => event.pointerType !== "mouse" && this.follow(event));
    new ResizeObserver(() => this.plot.setSize({ width: this.place.clientWidth, height: HEIGHT })).observe(this.place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  // A finger moves the crosshair; moving up or down scrolls the page.
  follow({ clientX }) {
    const left = clientX - this.plot.over.getBoundingClientRect().left;
    this.point(this.plot.posToIdx(Math.max(0, Math.min(left, this.plot.over.clientWidth))));
  }
}
