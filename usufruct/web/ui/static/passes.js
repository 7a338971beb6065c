// The page of a service's prepaid credits: what packages come to, and actions that load when used.

import { coins } from "./trade.js";
import { act, atomic } from "./wallet.js";

export const packages = (form) => atomic(form.elements.packages.value, 0);

const actions = () => import("./pass_actions.js");

// What the packages cost.
function show(form) {
  const count = /^[1-9]\d{0,17}$/.test(form.elements.packages.value.trim()) ? BigInt(packages(form)) : 0n;
  const total = coins(BigInt(form.dataset.price) * count, Number(form.dataset.decimals));
  form.querySelector("output").textContent = count ? total : "–";
}

for (const form of document.querySelectorAll("form[data-credits]")) {
  const action = form.dataset.credits;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(form.querySelector("[type=submit]"), async () => (await actions()).ACTIONS[action](form));
  });
  form.addEventListener("focusin", actions, { once: true });
  if (action !== "buy") continue;
  form.addEventListener("input", () => show(form));
  show(form);
}
