// A service's playground: a streamed conversation, its cost beside it as it runs, a way to stop, and each answer's receipt.
// Without a key its calls are free samples, where the service has them.

import { markdown } from "./markdown.js";
import { API_KEY, READER, contentOf, failed, fetchAnswer, keep, recall, received, toast } from "./page.js";
import { remember } from "./receipt.js";

const RECEIPT_TRIES = 7;
const PAUSE_MILLISECONDS = 250;  // doubled after each try
const MILLION = 1_000_000;
const NOT_IN_HEADERS = /[^\x21-\x7e]/g;  // of a key that is mistyped: the gateway refuses it in words

const base = document.body.dataset.base;
const form = document.getElementById("playground");
const turns = document.getElementById("playground-turns");
const receipt = document.getElementById("playground-receipt");
const usedUp = document.getElementById("playground-used-up");
const { about, decimals, model, symbol } = form.dataset;
const prices = { input: Number(form.dataset.inputPrice), output: Number(form.dataset.outputPrice), call: Number(form.dataset.callPrice) };
const shown = Object.fromEntries([...document.querySelectorAll("#playground-meter [data-shows]")].map((each) => [each.dataset.shows, each]));
const [send, stop, restart] = ["[type=submit]", "[data-stop]", "[data-restart]"].map((each) => form.querySelector(each));

let messages = [];
let total = 0n;

form.elements.key.value = recall("sessionStorage", API_KEY) ?? "";

function money(atomic) {
  const places = Number(decimals);
  const digits = String(atomic).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const part = digits.slice(whole.length).replace(/0+$/, "");
  return `${part ? `${whole}.${part}` : whole}\u00a0${symbol}`;
}

const nearly = (text) => about.replace("%(number)s", text);

// The data of an event stream, one text for each event.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { value, done } = await received(reader.read());
    if (done) return;
    const parts = (kept + value).split("\n\n");
    kept = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length) yield data.map((line) => line.slice(5).trim()).join("\n");
    }
  }
}

// Until the bill comes: the ceiling is the price of the input, of the longest answer and of the call.
function showRunning(ceiling, most, output) {
  const input = Math.max(0, ceiling - Math.ceil(most * prices.output / MILLION) - prices.call);
  if (prices.input) shown.input.textContent = nearly(Math.round(input * MILLION / prices.input));
  shown.output.textContent = nearly(output);
  shown.charge.textContent = nearly(money(Math.min(ceiling, Math.ceil(input + output * prices.output / MILLION) + prices.call)));
}

function showBill(input, output, charge) {
  total += BigInt(charge);
  shown.input.textContent = input;
  shown.output.textContent = output;
  shown.charge.textContent = money(charge);
  shown.total.textContent = money(total);
}

const isFree = () => Boolean(form.dataset.sample && !form.elements.key.value.trim());

function showLeft(left, most) {
  shown.left.textContent = form.dataset.left.replace("%(left)s", left).replace("%(most)s", most);
}

function showFree({ prompt_tokens: input, completion_tokens: output, sample }) {
  shown.input.textContent = input;
  shown.output.textContent = output;
  shown.charge.textContent = form.dataset.uncharged;
  shown.paid.textContent = money(sample.paid_charge);
  showLeft(sample.left, sample.calls_per_visitor);
}

// Why there are no free calls now, by the code of the refusal, and how to go on.
function showUsedUp(code) {
  const reasons = [...usedUp.querySelectorAll("[data-refusal]")];
  for (const each of reasons) each.hidden = each.dataset.refusal !== code;
  usedUp.hidden = reasons.every((each) => each.hidden);
}

// How many free calls are left, as the gateway counts them.
async function findLeft() {
  const answer = await fetchAnswer(`${base}/v1/samples?${new URLSearchParams({ model })}`, { headers: READER });
  const content = await contentOf(answer);
  if (!answer.ok) return;
  showLeft(content.left, content.calls_per_visitor);
  showUsedUp(content.refusal);
}

function addTurn(kind, text) {
  const turn = document.createElement("div");
  turn.className = `turn ${kind}`;
  turn.append(text);
  turns.append(turn);
  turns.hidden = false;
  return turn;
}

async function refused(response, call) {
  const { code, message } = (await contentOf(response)).error;
  if (call.isFree) showUsedUp(code);
  if (!call.isFree || usedUp.hidden) toast(message);
}

async function ask(signal, call) {
  const { key, message, most } = form.elements;
  const question = { role: "user", content: message.value };
  const body = JSON.stringify({
    model,
    messages: [...messages, question],
    max_tokens: Number(most.value),
    stream: true,
    stream_options: { include_usage: true },
  });
  const headers = { "content-type": "application/json", ...READER };
  if (!call.isFree) headers.authorization = `Bearer ${key.value.trim().replace(NOT_IN_HEADERS, "?")}`;
  const path = call.isFree ? "/v1/samples/chat/completions" : "/v1/chat/completions";
  const response = await fetchAnswer(base + path, { method: "POST", headers, body, signal });
  if (!response.ok) {
    await refused(response, call);
    return;
  }
  call.id = response.headers.get("x-request-id");
  if (!call.isFree) remember(call.id, body, null);
  addTurn("user", question.content);
  message.value = "";
  const answer = addTurn("model", "");
  turns.scrollIntoView({ block: "nearest" });
  const ceiling = Number(response.headers.get("x-usufruct-ceiling"));
  shown.ceiling.textContent = call.isFree ? form.dataset.uncharged : money(ceiling);
  const deltas = [];
  let text = "";
  for await (const data of events(response.body)) {
    if (data === "[DONE]") break;
    const event = JSON.parse(data);
    if (event.error) {
      toast(event.error.message);
      return;
    }
    const delta = event.choices?.[0]?.delta;
    if (delta) {
      deltas.push(delta);
      text += delta.content ?? "";
      answer.append(delta.content ?? "");
      if (call.isFree) shown.output.textContent = nearly(deltas.length);
      else showRunning(ceiling, Number(most.value), deltas.length);
    }
    if (event.usage?.sample) {
      showFree(event.usage);
    } else if (event.usage) {
      showBill(event.usage.prompt_tokens, event.usage.completion_tokens, event.usage.cost_details.charge);
      call.isBilled = true;
    }
  }
  messages.push(question, { role: "assistant", content: text });
  answer.replaceChildren(...markdown(text));
  if (!call.isFree) remember(call.id, body, deltas);
}

// What a call that was stopped is charged is known when the gateway has counted it.
async function findBill(call) {
  for (let tries = 0; tries < RECEIPT_TRIES && !call.isBilled; tries += 1) {
    const answer = await fetchAnswer(`${base}/v1/receipts/${call.id}`);
    if (answer.ok) {
      const { lines, amount } = (await contentOf(answer)).receipt;
      const counted = (part) => lines.filter(({ unit }) => unit.includes(part)).reduce((sum, { quantity }) => sum + Number(quantity), 0);
      showBill(counted("input_"), counted("output_"), amount);
      call.isBilled = true;
    } else {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS * 2 ** tries));
    }
  }
}

async function finish(call) {
  if (!call.id) return;
  if (call.isFree) {
    await findLeft();
    shown.charge.textContent = form.dataset.uncharged;
    return;
  }
  await findBill(call);
  if (call.isBilled) await htmx.ajax("GET", `${base}/r/${call.id}`, { target: receipt, swap: "innerHTML" });
  else shown.charge.textContent = form.dataset.uncharged;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  keep("sessionStorage", API_KEY, form.elements.key.value.trim());
  const running = new AbortController();
  const call = { isFree: isFree() };
  stop.onclick = () => running.abort();
  for (const [name, each] of Object.entries(shown)) if (name !== "total" && name !== "left") each.textContent = "–";
  if (usedUp) usedUp.hidden = true;
  receipt.replaceChildren();
  [send.disabled, stop.hidden, restart.hidden] = [true, false, true];
  try {
    await ask(running.signal, call);
  } catch (error) {
    if (error.name !== "AbortError") failed(error);
  } finally {
    stop.hidden = true;
  }
  try {
    await finish(call);
  } catch (error) {
    failed(error);
  } finally {
    [send.disabled, restart.hidden] = [false, !turns.children.length];
  }
});

restart.addEventListener("click", () => {
  messages = [];
  total = 0n;
  turns.replaceChildren();
  receipt.replaceChildren();
  for (const [name, each] of Object.entries(shown)) if (name !== "left") each.textContent = "–";
  [turns.hidden, restart.hidden] = [true, true];
});

if (isFree()) findLeft().catch(failed);
