// The pages of a service's revenue shares, prepaid credits and title: what a price comes to, and actions that load when used.

import { act, atomic, reload, resume, send } from "./wallet.js";

export const texts = document.getElementById("wallet-texts").dataset;
export const page = document.getElementById("trade").dataset;
export const decimals = Number(page.decimals);
export const unitDecimals = Number(page.unit);  // of what is sold
export const OFFERS = "/v1/offers";
export const PURCHASES = "/v1/purchases";

// What the exchange takes for a part of an offer: rounded up.
const priceUp = (part, amount, price) => (part * price + amount - 1n) / amount;

function units(text, places) {
  try {
    return BigInt(atomic(text, places));
  } catch {
    return null;
  }
}

export const coins = (amount, places) => {
  const whole = String(amount).padStart(places + 1, "0");
  return `${whole.slice(0, -places)}.${whole.slice(-places)}`.replace(/\.?0+$/, "");
};

const actions = () => import("./trade_actions.js");

// What of the price is left for the title, and what the seller gets: shares pay no royalty.
function showTitle(form) {
  const outputs = form.querySelectorAll("output");
  const price = units(form.elements.price.value, decimals);
  const parts = [...form.querySelectorAll("[data-bundled]")].map((part) => {
    const [amount, of] = [...part.querySelectorAll("input")].map((each) => each.value.trim());
    return { royal: part.dataset.plan, price: amount ? units(of, decimals) : 0n };
  });
  const known = price && parts.every((each) => each.price !== null);
  const left = known ? parts.reduce((sum, each) => sum - each.price, price) : 0n;
  const taken = (amount, bps) => amount * BigInt(bps) / 10_000n;
  const gets = () => [{ royal: true, price: left }, ...parts].filter(({ royal }) => royal)
    .reduce((sum, each) => sum - taken(each.price, page.royalty), price - taken(price, page.deducted - page.royalty));
  const shown = left > 0n ? [left, gets()] : [];
  outputs.forEach((output, at) => { output.textContent = at in shown ? coins(shown[at], decimals) : "–"; });
}

// The price of what is typed, and as the most to pay until another is typed.
function show(form) {
  if (form.dataset.trade === "buy") {
    if (!form.elements.amount) return;
    const part = units(form.elements.amount.value, unitDecimals);
    const total = part && priceUp(part, BigInt(form.dataset.amount), BigInt(form.dataset.price));
    form.querySelector("output").textContent = total ? coins(total, decimals) : "–";
    if (total && !("typed" in form.elements.most.dataset)) form.elements.most.value = coins(total, decimals);
    return;
  }
  if ("title" in form.dataset) return showTitle(form);
  const amount = units(form.elements.amount.value, unitDecimals);
  const price = units(form.elements.price.value, decimals);
  const [each, gets] = form.querySelectorAll("output");
  const known = amount && price;
  each.textContent = known ? Number(coins(price * 10n ** 12n / amount, 12 + decimals - unitDecimals)).toPrecision(6) : "–";
  gets.textContent = known ? coins(price - price * BigInt(page.deducted) / 10_000n, decimals) : "–";
}

for (const form of document.querySelectorAll("form[data-trade]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form.querySelector("[type=submit]"), async () => (await actions()).ACTIONS[form.dataset.trade](form));
  });
  form.addEventListener("focusin", actions, { once: true });
  if (!["buy", "sell"].includes(form.dataset.trade)) continue;
  form.addEventListener("input", ({ target }) => {
    if (target.name === "most") target.dataset.typed = "";
    show(form);
  });
  show(form);
}

resume(async (request) => {
  if (request.post === PURCHASES) return (await actions()).finish(request);
  await send(request);
  return request.post === OFFERS ? reload(page.offered) : location.reload();
});
