// The seller's desk: what the chain decides is sent by the seller's wallet, or signed by their passkey and relayed.

import { act, ask, fill, resume, send, transact } from "./wallet.js";

const texts = document.getElementById("wallet-texts").dataset;
const desk = document.getElementById("desk").dataset;
const CALLS = {  // what a passkey may be asked to sign for each form: the contract, and the functions
  price: ["registry", ["setPriceCard(uint128,(uint128,uint128,uint128,uint16,uint8,uint32,uint32))"]],
  retire: ["registry", ["retire(uint128)"]],
  collect: [
    "shares", ["collectAll(address[],address)", "collectTo(address,address)", "accrueAndCollect(address,address)"]],
};

// "1,5" as "1.5"; "1,500" is left as it is: fifteen hundred, or one and a half.
const decimal = (text) => (/^[1-9]\d{0,2},\d{3}$/.test(text) ? text : text.replace(",", "."));

const NAMES = { input: "input", output: "output", per_call: "perCall", cached_input: "cachedInput" };

function wishOf(form) {
  const fields = [...new FormData(form)].filter(([name]) => name in NAMES);
  return fields.length ? Object.fromEntries(fields.map(([name, text]) => [NAMES[name], decimal(text.trim())])) : undefined;
}

// A passkey's prompt shows nothing of what it signs: that the operation is this transaction is checked here.
async function relay({ to, data }, action) {
  const { batchOf, selector } = await import("./keccak.js");
  const request = await ask("POST", "/v1/account/wallet/operations", { calls: [{ to, data }] });
  const [contract, functions] = CALLS[action];
  const { message } = request.document;
  const [call, ...more] = batchOf(message.callData);
  const same = call.to === to && call.data === data && call.value === 0n && more.length === 0
    && message.sender.toLowerCase() === texts.payer && to === desk[contract]
    && functions.some((each) => data.startsWith(selector(each)));
  if (!same) throw new Error(texts.otherCall);
  await fill(request);
  await send(request);
}

async function run(form) {
  const action = form.dataset.chain;
  const { transactions } = await ask("POST", `${desk.api}/${action}`, wishOf(form));
  const waiting = form.querySelector("[data-waiting]");
  waiting.hidden = false;
  try {
    for (const each of transactions) {
      if ("byPasskey" in texts) await relay(each, action);
      else await transact(each, each.chainId);
    }
  } finally {
    waiting.hidden = true;
  }
  location.assign(`${desk.page}?done=${action}`);
}

for (const form of document.querySelectorAll("form[data-chain]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(event.submitter ?? form.querySelector("[type=submit]"), () => run(form));
  });
}

resume(async (request) => {
  await send(request);
  location.reload();
});
