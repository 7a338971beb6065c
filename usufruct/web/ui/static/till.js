// The till's payees, their caps and its owner: sent by the wallet of the till's owner, or signed by their passkey and relayed.

import { hex } from "./hex.js";
import { perform } from "./transactions.js";
import { act, ask, atomic, resume, send, used } from "./wallet.js";

const till = document.getElementById("till").dataset;
const texts = document.getElementById("wallet-texts").dataset;
const NOBODY = "0x" + "0".repeat(40);  // whose cap is that of all payees without one of their own

// What is asked of the server for each form, and the function and numbers that its one transaction must then have.
const CHANGES = {
  payees: ({ pay_to, listed }, { kind }) => ({
    done: "payee",
    wish: { payTo: pay_to.value, listed: listed.value === "yes" },
    call: ["setPayee(address,uint8)", pay_to.value, kind],
  }),
  caps: ({ of, amount }) => {
    const units = atomic(amount.value, Number(till.decimals));
    return {
      done: "cap",
      wish: { payTo: of.value || null, amount: amount.value.trim().replace(",", ".") },
      call: ["setDailyCap(address,address,uint96)", of.value || NOBODY, till.token, units],
    };
  },
  owner: ({ to }) => {
    const next = to.value.trim().toLowerCase();
    return {
      done: next ? "offer" : "withdrawal",
      wish: { to: next || null },
      call: ["transferOwnership(address)", next || NOBODY],
    };
  },
  "owner/acceptance": () => ({ done: "acceptance", wish: undefined, call: ["acceptOwnership()"] }),
};

// An owner's key decides where income goes: also a wallet, which shows a call in bytes, is asked for nothing but what the page says.
async function checked(transactions, [name, ...numbers]) {
  const { selector, word } = await import("./keccak.js");
  const data = selector(name) + numbers.map((each) => hex(word(each)).slice(2)).join("");
  if (transactions.some((each) => each.to !== till.till || each.data !== data)) throw new Error(texts.otherCall);
}

async function checkWallet() {
  const accounts = await (await used()).request({ method: "eth_accounts" });
  if (accounts[0]?.toLowerCase() !== texts.payer) throw new Error(till.otherWallet);
}

async function run(form) {
  const { done, wish, call } = CHANGES[form.dataset.till](form.elements, form.dataset);
  const waiting = form.querySelector("[data-waiting]");
  const { transactions } = await ask("POST", `/v1/operator/${form.dataset.till}`, wish);
  await checked(transactions, call);
  if (!("byPasskey" in texts)) await checkWallet();
  waiting.hidden = false;
  try {
    await perform(transactions, till.till, [call[0]]);
  } finally {
    waiting.hidden = true;
  }
  location.assign(`${till.page}?done=${done}`);
}

for (const form of document.querySelectorAll("form[data-till]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event.submitter ?? form.querySelector("[type=submit]"), () => run(form));
  });
}

// The sheet that asks for a yes says what was typed behind it.
for (const shown of document.querySelectorAll("output[form]")) {
  shown.form.elements.to.addEventListener("input", ({ target }) => { shown.value = target.value.trim(); });
}

resume(async (request) => {
  await send(request);
  location.reload();
});
