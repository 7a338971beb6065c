// The seller's desk: what the chain decides is sent by the seller's wallet, or signed by their passkey and relayed.

import { COLLECT, paysUs, perform } from "./transactions.js";
import { act, ask, atomic, resume, send } from "./wallet.js";

const desk = document.getElementById("desk").dataset;
const CALLS = {  // what a passkey may be asked to sign for each form: the contract, and the functions
  price: ["registry", ["setPriceCard(uint128,(uint128,uint128,uint128,uint16,uint8,uint32,uint32))"]],
  retire: ["registry", ["retire(uint128)"]],
  collect: ["shares", COLLECT],
};

// "1,5" as "1.5"; "1,500" is left as it is: fifteen hundred, or one and a half.
const decimal = (text) => (/^[1-9]\d{0,2},\d{3}$/.test(text) ? text : text.replace(",", "."));

// A number in a call's data: the function's selector, then words of 32 bytes.
const wordAt = (data, index) => BigInt("0x" + data.slice(10 + 64 * index, 74 + 64 * index));

const ofThisService = ({ data }) => wordAt(data, 0) === BigInt(desk.asset);

// Whether a call announces the prices that were typed, and leaves the others as they are.
function announces(form) {
  const [input, output, perCall, cachedInput] = desk.card.split(" ");
  const typed = (name, known) => {
    const text = form.elements[name].value.trim();
    return BigInt(text ? atomic(decimal(text), Number(desk.decimals)) : known);
  };
  return (call) => {
    const card = [typed("input", input), typed("output", output), typed("per_call", perCall), BigInt(cachedInput)];
    return ofThisService(call) && card.every((price, index) => wordAt(call.data, index + 1) === price);
  };
}

const FITS = { price: announces, retire: () => ofThisService, collect: () => paysUs };

const NAMES = { input: "input", output: "output", per_call: "perCall", cached_input: "cachedInput" };

function wishOf(form) {
  const fields = [...new FormData(form)].filter(([name]) => name in NAMES);
  return fields.length ? Object.fromEntries(fields.map(([name, text]) => [NAMES[name], decimal(text.trim())])) : undefined;
}

async function run(form) {
  const action = form.dataset.chain;
  const { transactions } = await ask("POST", `${desk.api}/${action}`, wishOf(form));
  const waiting = form.querySelector("[data-waiting]");
  waiting.hidden = false;
  try {
    const [contract, functions] = CALLS[action];
    await perform(transactions, desk[contract], functions, FITS[action](form));
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
