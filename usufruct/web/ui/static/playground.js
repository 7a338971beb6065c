// A service's playground: a streamed chat, its cost beside it, and a way to stop.

import { API_KEY, READER, connectionLost, contentOf, keep, recall, toast } from "./page.js";

const form = document.getElementById("playground");
const { decimals, symbol, model } = form.dataset;
const answer = document.getElementById("playground-answer");
const shown = Object.fromEntries([...form.querySelectorAll("[data-shows]")].map((each) => [each.dataset.shows, each]));
const [send, stop] = [form.querySelector("[type=submit]"), form.querySelector("[data-stop]")];

form.elements.key.value = recall("sessionStorage", API_KEY) ?? "";

function money(atomic) {
  const places = Number(decimals);
  const digits = String(atomic).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const part = digits.slice(whole.length).replace(/0+$/, "");
  return `${part ? `${whole}.${part}` : whole}\u00a0${symbol}`;
}

// The data of an event stream, one text for each event.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (kept + value).split("\n\n");
    kept = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data:"));
      if (data.length) yield data.map((line) => line.slice(5).trim()).join("\n");
    }
  }
}

function show(usage) {
  shown.input.textContent = usage.prompt_tokens;
  shown.output.textContent = usage.completion_tokens;
  shown.charge.textContent = money(usage.cost_details.charge);
}

async function ask(signal) {
  const { key, message, most } = form.elements;
  const body = {
    model,
    messages: [{ role: "user", content: message.value }],
    max_tokens: Number(most.value),
    stream: true,
    stream_options: { include_usage: true },
  };
  const headers = { "content-type": "application/json", authorization: `Bearer ${key.value.trim()}`, ...READER };
  const url = `${document.body.dataset.base}/v1/chat/completions`;
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), signal });
  if (!response.ok) {
    toast((await contentOf(response)).error.message);
    return;
  }
  shown.ceiling.textContent = money(response.headers.get("x-usufruct-ceiling"));
  for await (const data of events(response.body)) {
    if (data === "[DONE]") return;
    const event = JSON.parse(data);
    if (event.error) toast(event.error.message);
    answer.append(event.choices?.[0]?.delta?.content ?? "");
    if (event.usage) show(event.usage);
  }
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  keep("sessionStorage", API_KEY, form.elements.key.value.trim());
  const running = new AbortController();
  stop.onclick = () => running.abort();
  for (const each of Object.values(shown)) each.textContent = "–";
  answer.textContent = "";
  answer.hidden = false;
  [send.disabled, stop.hidden] = [true, false];
  try {
    await ask(running.signal);
  } catch (error) {
    if (error instanceof TypeError) connectionLost();
    else if (error.name !== "AbortError") toast(error.message);
  } finally {
    [send.disabled, stop.hidden] = [false, true];
  }
});
