// The page of a passkey account: settings, payments and what is signed without being sent.

import { makePasskey } from "./passkey.js";
import { act, ask, atomic, fill, resume, send } from "./wallet.js";

const PATH = "/v1/account/wallet/";
const ANNOUNCE = "announceChange(bytes)";
const SETTINGS = {
  passkeys: ["addSigners(bytes[])"],
  addresses: ["addSigners(bytes[])"],
  removals: ["removeSigners(bytes[])", ANNOUNCE],
  recovery: ["setRecovery(address,uint32)", ANNOUNCE],
  veto: ["vetoRecovery()"],
  cancellation: ["cancelChange()"],
};
const COSE_KEY = /a5010203262001215820(?<x>.{64})225820(?<y>.{64})/;  // of ES256, as CTAP2 writes it; more may follow

const texts = document.getElementById("wallet-texts").dataset;

// What the form asks for, as the server is asked, and what the signed call must then hold.
const WISHES = {
  async passkeys({ label }) {
    const made = await makePasskey(texts.site);
    return [{ ...made, label: label.value }, publicKey(made.authenticatorData)];
  },
  addresses: async ({ address }) => [{ address: address.value.trim() }, [plain(address.value)]],
  removals: async ({ signer }) => [{ signer: signer.value }, [plain(signer.value)]],
  async recovery({ wallet, days }) {
    const named = wallet.value.trim();
    return [{ wallet: named || null, days: Number(days.value) }, named ? [plain(named)] : []];
  },
  veto: async () => [undefined, []],
  cancellation: async () => [undefined, []],
  async payments({ to, amount }, { decimals }) {
    const units = atomic(amount.value, Number(decimals));
    return [{ to: to.value.trim(), amount: units }, [plain(to.value).padStart(64, "0") + word(units)]];
  },
};

const word = (number) => BigInt(number).toString(16).padStart(64, "0");

const publicKey = (data) => Object.values(COSE_KEY.exec(data).groups);

const plain = (address) => address.trim().toLowerCase().replace(/^0x/, "");

// A passkey shows nothing of what it signs: that the operation is the one call asked for is checked here.
async function isAsked(document, name, parts, token) {
  const { callsOf, selector } = await import("./keccak.js");
  const [call, ...more] = callsOf(document, texts.payer);
  const to = name === "payments" ? token : texts.payer;
  const functions = name === "payments" ? ["transfer(address,uint256)"] : SETTINGS[name];
  return call?.to === to && call.value === 0n && more.length === 0 && functions.some((each) => call.data.startsWith(selector(each)))
    && parts.every((each) => call.data.includes(each));
}

async function run(form, submitter) {
  const name = form.dataset.wallet;
  const [wish, parts] = await WISHES[name](form.elements, form.dataset);
  const request = await ask("POST", PATH + name, wish);
  if (!await isAsked(request.document, name, parts, form.dataset.token)) throw new Error(texts.otherCall);
  await fill(request);
  if (submitter.value === "export") {
    const { calls } = await ask("POST", `${request.post}/export`, request.body);
    document.getElementById("exported-calls").textContent = JSON.stringify(calls, null, 1);
    document.getElementById("exported").showModal();
    return;
  }
  await finish(request);
}

async function finish(request) {
  await send(request);
  location.reload();
}

resume(finish);

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-wallet]");
  if (!form) return;
  event.preventDefault();
  act(event.submitter, () => run(form, event.submitter));
});
