// The wallets of this browser (EIP-6963), sign-in with one, and requests that it signs.

import { API_KEY, READER, contentOf, failed, fetchAnswer, isFault, keep, recall, toast } from "./page.js";

export const DECLINED = 4001;  // EIP-1193
const OPERATIONS = "/v1/passkeys/operations";
const ONCE = ["/v1/deposits", "/v1/account/passkey-deposits", "/v1/offers", "/v1/purchases", OPERATIONS];
const PENDING = ["deposit_pending", "operation_pending"];
const ONCE_TRIES = 90;
const MINED_TRIES = 120;
const PAUSE_MILLISECONDS = 1000;
const LONGEST_PAUSE_MILLISECONDS = 8000;
const TIMED_OUT = 408;
// Of who is signed in, not of what is signed.
const ELSEWHERE = ["unauthenticated", "not_signed_in", "other_account", "passkey_account_unknown"];
const SERVER_FAILED = 500;  // and above
const KEPT = "wallet";
const DONE = "done";
const KEY_SIGNATURE = 132;  // "0x", and 65 bytes in hex

const base = document.body.dataset.base;
const area = document.getElementById("wallets");
const texts = document.getElementById("wallet-texts").dataset;
const wallets = new Map();

export class Refused extends Error {
  constructor(error, status) {
    super(error.message);
    this.code = error.code;
    this.status = status;
  }
}

export async function ask(method, path, body) {
  const headers = { "content-type": "application/json", ...READER };
  const answer = await fetchAnswer(base + path, { method, headers, body: body && JSON.stringify(body) });
  if (answer.status === 204) return null;
  const content = await contentOf(answer);
  if (!answer.ok) throw new Refused(content.error, answer.status);
  return content;
}

// Runs an action once at a time, with its button disabled, and says what went wrong.
export async function act(button, action) {
  button.disabled = true;
  try {
    await action();
  } catch (error) {
    if (error.code === DECLINED) toast(texts.declined);
    else failed(error);
  } finally {
    button.disabled = false;
  }
}

function hex(text) {
  return "0x" + [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function signIn({ info, provider }) {
  const [address] = await provider.request({ method: "eth_requestAccounts" });
  const { text, ...challenge } = await ask("POST", "/v1/sessions/challenge", { address: address.toLowerCase() });
  const signature = await provider.request({ method: "personal_sign", params: [hex(text), address] });
  await ask("POST", "/v1/sessions", { ...challenge, signature });
  keep("localStorage", KEPT, info.rdns);
  location.reload();
}

function offer(wallet) {
  const button = document.createElement("button");
  button.type = "button";
  if (/^data:image\/(png|webp|svg\+xml|jpeg|gif)[;,]/.test(wallet.info.icon)) {
    const icon = document.createElement("img");
    icon.src = wallet.info.icon;
    icon.alt = "";
    button.append(icon);
  }
  button.append(String(wallet.info.name).slice(0, 40));
  button.addEventListener("click", () => act(button, () => signIn(wallet)));
  area.querySelector("[data-none]")?.remove();
  area.append(button);
}

// The wallet that signed in; a wallet that changes to another account is signed out.
export async function used() {
  for (const wallet of wallets.values()) if (await isUsed(wallet)) return wallet.provider;
  throw new Error(texts.missing);
}

// Where its name could not be kept, the one that shows the account; it asks its owner nothing.
async function isUsed({ info, provider }) {
  const kept = recall("localStorage", KEPT);
  if (kept !== null) return info.rdns === kept;
  const accounts = await provider.request({ method: "eth_accounts" }).catch(() => []);
  return accounts.some((each) => each.toLowerCase() === texts.payer);
}

async function signOut() {
  keep("sessionStorage", API_KEY, null);
  await ask("DELETE", "/v1/sessions/current");
  location.reload();
}

async function follow(wallet) {
  if ("byPasskey" in texts || !wallet.provider.on || !await isUsed(wallet)) return;
  wallet.provider.on("accountsChanged", (accounts) => {
    if (accounts[0]?.toLowerCase() !== texts.payer) signOut().catch(failed);
  });
}

addEventListener("eip6963:announceProvider", ({ detail }) => {
  if (wallets.has(detail.info.uuid)) return;
  wallets.set(detail.info.uuid, detail);
  if (area) offer(detail);
  else follow(detail);
});
dispatchEvent(new Event("eip6963:requestProvider"));

// Some wallets sign for the chain that they show only.
export async function choose(provider, chain) {
  const chainId = "0x" + Number(chain).toString(16);
  if (Number(await provider.request({ method: "eth_chainId" })) === Number(chain)) return;
  await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId }] });
}

// Signs a request of the server's, unless it is signed already, and sends it.
export async function sign(request) {
  await fill(request);
  return send(request);
}

// Puts the signature into a request of the server's, unless it is signed already. One is finished before the next is signed.
export async function fill({ document, post, body, place, passkey }) {
  if (ONCE.includes(post) && unfinished().length) throw new Error(texts.resumes);
  const at = place.slice(0, -1).reduce((inside, name) => inside[name], body);
  if (passkey) {
    const { passkeySignature } = await import("./passkey.js");
    at[place.at(-1)] = await passkeySignature(document, passkey);
  } else if (document) {
    const provider = await used();
    await choose(provider, document.domain.chainId);
    const params = [texts.payer, JSON.stringify(document)];
    const signature = await provider.request({ method: "eth_signTypedData_v4", params });
    const recovery = signature.length === KEY_SIGNATURE ? parseInt(signature.slice(-2), 16) : 27;  // not a contract's
    const normal = recovery < 27 ? signature.slice(0, -2) + (recovery + 27).toString(16) : signature;
    at[place.at(-1)] = normal;
  }
}

// What was signed on this page in this tab and has no known outcome yet.
const unfinishedName = `signed ${texts.payer} ${location.pathname}`;
const unfinished = () => JSON.parse(recall("sessionStorage", unfinishedName)) ?? [];

function note(requests) {
  keep("sessionStorage", unfinishedName, requests.length ? JSON.stringify(requests) : null);
}

export function forget({ body }) {
  note(unfinished().filter((each) => JSON.stringify(each.body) !== JSON.stringify(body)));
}

// Sends what is signed. What can be done only once is sent again until its outcome is known, also after a reload.
// A refusal with one of the codes in `open` leaves it unfinished: its page does it otherwise.
export async function send({ post, body }, open = []) {
  if (!ONCE.includes(post)) return ask("POST", post, body);
  forget({ body });
  note([...unfinished(), { post, body }]);
  try {
    const answer = await outcome(post, body);
    forget({ body });
    if (post === OPERATIONS && answer.state !== "succeeded") throw new Error(texts.chainRefused + answer.reason);
    return answer;
  } catch (error) {
    if (isKnown(error) && !ELSEWHERE.includes(error.code) && !open.includes(error.code)) forget({ body });
    throw error;
  }
}

const isKnown = (error) => error instanceof Refused && error.status < SERVER_FAILED && error.status !== TIMED_OUT;

// The same is handed in again, never another: it is done once, even if the first answer was lost.
async function outcome(post, body) {
  let notice;
  try {
    for (let tries = 0; tries < ONCE_TRIES; tries += 1) {
      try {
        return await ask("POST", post, body);
      } catch (error) {
        if (isKnown(error) || isFault(error)) throw error;
        notice?.remove();
        notice = toast(PENDING.includes(error.code) ? texts.onItsWay : texts.sentAgain, "warn", { stays: true });
      }
      await pause(Math.min(PAUSE_MILLISECONDS * 2 ** tries, LONGEST_PAUSE_MILLISECONDS));
    }
  } finally {
    notice?.remove();
  }
  throw new Error(texts.notKnown);
}

// Ends at once when the network is back.
function pause(milliseconds) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    addEventListener("online", done);
  });
}

// Goes on with what was signed before the page was loaded again.
export function resume(finish) {
  for (const request of unfinished()) {
    toast(texts.resumes, "good");
    act(document.createElement("button"), () => finish(request));
  }
}

// Loads the page again, which then says what was done.
export function reload(text) {
  keep("sessionStorage", DONE, text);
  location.reload();
}

// Loads another page, which then says what was done.
export function leave(page, text) {
  keep("sessionStorage", DONE, text);
  location.assign(page);
}

const done = recall("sessionStorage", DONE);
if (done) {
  keep("sessionStorage", DONE, null);
  toast(done, "good");
}

// Has the wallet send a call, and waits until it is mined. What this tab had sent and is not mined yet is not sent again, also
// after a reload: by its hash, or, where the page went before the wallet answered, by the number of the payer's transactions.
export async function transact({ to, data }, chain) {
  const provider = await used();
  await choose(provider, chain);
  const name = `sent ${chain} ${texts.payer} ${to} ${data}`;
  const count = async (block) =>
    Number(await provider.request({ method: "eth_getTransactionCount", params: [texts.payer, block] }));
  let sent = JSON.parse(recall("sessionStorage", name));
  if (!sent || (!sent.hash && await count("pending") <= sent.before)) {
    sent = { before: await count("pending") };
    keep("sessionStorage", name, JSON.stringify(sent));
    sent.hash = await provider.request({ method: "eth_sendTransaction", params: [{ from: texts.payer, to, data }] });
    keep("sessionStorage", name, JSON.stringify(sent));
  }
  const receipt = () => provider.request({ method: "eth_getTransactionReceipt", params: [sent.hash] });
  const mined = sent.hash ? receipt : async () => await count("latest") > sent.before && { status: 1 };
  for (let tries = 1; tries <= MINED_TRIES; tries += 1) {
    const seen = await mined();
    if (seen) keep("sessionStorage", name, null);
    if (seen && Number(seen.status) === 1) return;
    if (seen) throw new Error(`${texts.failed}${sent.hash}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
  }
  throw new Error(`${texts.failed}${sent.hash ?? ""}`);
}

// "1.5" or "1,5" of a coin in its atomic units, as text.
export function atomic(text, decimals) {
  const match = /^[1-9]\d{0,2}[.,]\d{3}$/.test(text.trim())  // thousands in one language, a fraction in another
    ? null : /^(\d{1,30})(?:[.,](\d+))?$/.exec(text.trim());
  const part = (match?.[2] ?? "").replace(/0+$/, "");
  if (!match || part.length > decimals) throw new Error(texts.amount);
  return String(BigInt(match[1] + part.padEnd(decimals, "0")));
}

for (const button of document.querySelectorAll("[data-demo]")) {
  button.addEventListener("click", () => act(button, async () => {
    await ask("POST", "/v1/sessions/demo");
    await ask("POST", "/v1/account/play-money");
    location.reload();
  }));
}

for (const button of document.querySelectorAll("[data-play-money]")) {
  button.addEventListener("click", () => act(button, async () => {
    await ask("POST", "/v1/account/play-money");
    location.reload();
  }));
}

for (const button of document.querySelectorAll("[data-sign-out]")) {
  button.addEventListener("click", () => act(button, signOut));
}
