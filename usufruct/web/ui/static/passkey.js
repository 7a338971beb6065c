// Passkeys: a wallet made of one, sign-in, and signatures over what this browser has read and hashed itself.

import { bytes, hex } from "./hex.js";
import { act, ask } from "./wallet.js";

const ES256 = -7;
const HASH_BYTES = 32;
const OPERATION = "PackedUserOperation";
const DECLINED = ["NotAllowedError", "AbortError"];

const texts = document.getElementById("wallet-texts").dataset;

class Declined extends Error {}

const missing = () => (isSecureContext ? texts.passkeyMissing : texts.passkeyInsecure);

async function prompt(method, publicKey) {
  if (!navigator.credentials) throw new Error(missing());
  try {
    return await navigator.credentials[method]({ publicKey });
  } catch (error) {
    if (DECLINED.includes(error.name)) throw new Declined(texts.passkeyDeclined);
    throw error;
  }
}

export async function makePasskey(label) {
  const { challenge, rpId } = await ask("POST", "/v1/passkeys/challenge");
  const { response } = await prompt("create", {
    challenge: bytes(challenge),
    rp: { id: rpId, name: texts.site },
    user: { id: crypto.getRandomValues(new Uint8Array(16)), name: label, displayName: label },
    pubKeyCredParams: [{ type: "public-key", alg: ES256 }],
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
    attestation: "none",
  });
  const data = response.getAuthenticatorData();
  return { authenticatorData: hex(new Uint8Array(data)), clientData: hex(new Uint8Array(response.clientDataJSON)) };
}

async function assertion(challenge, rpId, credentials) {
  const allowCredentials = credentials.map((id) => ({ type: "public-key", id: bytes(id) }));
  const answer = await prompt("get", { challenge, rpId, allowCredentials, userVerification: "required" });
  const { authenticatorData, clientDataJSON, signature } = answer.response;
  const [data, client, signed] = [authenticatorData, clientDataJSON, signature].map((each) => hex(new Uint8Array(each)));
  return { credentialId: hex(new Uint8Array(answer.rawId)), authenticatorData: data, clientData: client, signature: signed };
}

// Signs a document of the server's; what is signed is hashed here, from what is shown.
export async function passkeySignature(document, { account, credentials }) {
  return assertion(await hashOf(document, account), location.hostname, credentials);
}

async function hashOf(document, account) {
  const { accountHash, batchOf, documentHash } = await import("./keccak.js");
  try {
    if (document.primaryType !== OPERATION) return accountHash(document, account);
    batchOf(document.message.callData);
    return documentHash(document);
  } catch {  // its types or values are none that a contract reads as they are shown
    throw new Error(texts.otherCall);
  }
}

// A site that does not know the passkey, as after a loss of its data, asks for the wallet's address.
const addressForm = document.getElementById("passkey-account");

async function signIn(account) {
  const { challenge, rpId } = await ask("POST", "/v1/passkeys/challenge");
  if (bytes(challenge).length === HASH_BYTES) throw new Error(texts.otherCall);  // it would sign an operation
  try {
    const signed = await assertion(bytes(challenge), rpId, []);
    await ask("POST", "/v1/sessions/passkey", account ? { ...signed, account } : signed);
  } catch (error) {
    if (error.code === "passkey_unknown" && addressForm) addressForm.hidden = false;
    throw error;
  }
  location.reload();
}

addressForm?.addEventListener("submit", (event) => {
  event.preventDefault();
  act(event.submitter, () => signIn(addressForm.elements.account.value.trim().toLowerCase()));
});

async function createWallet() {
  await ask("POST", "/v1/passkeys", await makePasskey(texts.site));
  location.reload();
}

const ACTIONS = { create: createWallet, signIn: () => signIn() };

for (const button of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) {
    delete button.dataset.scripted;
    button.after(missing());
  }
  button.addEventListener("click", () => act(button, ACTIONS[button.dataset.passkey]));
}
