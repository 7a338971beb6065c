// Pure checks of a receipt (docs/protocol/receipts.md); loaded when a reader asks for them.
// The rules are those of usufruct_client.receipt and bill_lines; both are held to tests/support/receipt_vectors.json.

import { sha256 } from "./third_party/noble-hashes/sha2.js";
import { keccak_256 } from "./third_party/noble-hashes/sha3.js";
import { etc, Point, recoverPublicKey } from "./third_party/noble-secp256k1/secp256k1.js";

const PRECISION = 10n ** 10n;
const ROUNDING = "rounding";
const HALF_ORDER = Point.CURVE().n / 2n;

const DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const LINE_TYPE = "Line(string unit,uint64 quantity,uint256 price,uint64 per,uint256 amount)";
const RECEIPT_TYPE = "Receipt(bytes32 call,bytes32 account,address token,uint128 asset,uint64 priceCardVersion,"
  + "bytes32 modelDigest,bytes32 requestHash,bytes32 responseHash,Line[] lines,string countedBy,uint128 ceiling,"
  + "uint128 amount,uint128 cumulative,uint64 time)";

const utf8 = (text) => new TextEncoder().encode(text);  // a lone half of a character becomes U+FFFD
const hex = (bytes) => "0x" + etc.bytesToHex(bytes);
const join = (parts) => etc.concatBytes(...parts);

function bytes(text, size) {
  if (!new RegExp(`^0x[0-9a-f]{${2 * size}}$`, "i").test(text)) throw new Error(`not ${size} bytes: ${text}`);
  return etc.hexToBytes(text.slice(2).toLowerCase());
}

function number(text, bits) {
  if (!/^(\d+|0x[0-9a-f]+)$/i.test(text)) throw new Error(`not a number: ${text}`);
  const value = BigInt(text);
  if (value >> BigInt(bits)) throw new Error(`over ${bits} bits: ${text}`);
  return value;
}

function word(kind, value) {
  if (kind === "string") return keccak_256(utf8(value));
  if (kind === "bytes32") return bytes(value, 32);
  if (kind === "address") return join([new Uint8Array(12), bytes(value, 20)]);
  if (kind === "Line[]") return keccak_256(join(value.map((line) => struct(LINE_TYPE, LINE_TYPE, line))));
  return etc.hexToBytes(number(value, kind.slice("uint".length)).toString(16).padStart(64, "0"));
}

function struct(type, encoded, values) {
  const fields = type.slice(type.indexOf("(") + 1, -1).split(",").map((field) => field.split(" "));
  return keccak_256(join([keccak_256(utf8(encoded)), ...fields.map(([kind, name]) => word(kind, values[name]))]));
}

// What the operator signed: made again from the receipt's own members.
export function digest(receipt) {
  const place = { chainId: receipt.chainId, verifyingContract: receipt.till };
  const domain = struct(DOMAIN_TYPE, DOMAIN_TYPE, { name: "Usufruct Receipt", version: "2", ...place });
  return keccak_256(join([new Uint8Array([0x19, 0x01]), domain, struct(RECEIPT_TYPE, RECEIPT_TYPE + LINE_TYPE, receipt)]));
}

// The address whose key signed exactly this receipt; null for a signature that the chain would not take.
export function signer(receipt) {
  try {
    const signature = bytes(receipt.signature, 65);
    const [scalars, recovery] = [signature.subarray(0, 64), signature[64] - 27];
    if (recovery !== 0 && recovery !== 1) return null;
    if (BigInt(hex(scalars.subarray(32))) > HALF_ORDER) return null;
    const options = { prehash: false, isCompressed: false };
    const key = recoverPublicKey(join([new Uint8Array([recovery]), scalars]), digest(receipt), options);
    return hex(keccak_256(key.subarray(1)).subarray(12));
  } catch {
    return null;
  }
}

// Whether each line is quantity x price / per, the rounding is right, and the charge is the sum or the limit.
export function addsUp(receipt) {
  const lines = receipt.lines.map(({ unit, ...rest }) => {
    const [quantity, price, per, amount] = [rest.quantity, rest.price, rest.per, rest.amount].map(BigInt);
    return { unit, quantity, price, per, amount };
  });
  if (new Set(lines.map(({ unit }) => unit)).size < lines.length) return false;
  if (lines.some(({ per }) => per <= 0n || PRECISION % per)) return false;
  if (lines.some(({ quantity, price, per, amount }) => amount !== quantity * price / per)) return false;
  const used = lines.filter(({ unit }) => unit !== ROUNDING);
  const parts = used.reduce((sum, { quantity, price, per }) => sum + (quantity * price % per) * (PRECISION / per), 0n);
  const due = (parts + PRECISION - 1n) / PRECISION;
  const rounding = lines.slice(used.length);
  if (rounding.some(({ unit, quantity, price, per }) => unit !== ROUNDING || quantity !== due || price !== 1n || per !== 1n)) {
    return false;
  }
  if (rounding.length !== (due ? 1 : 0)) return false;
  const total = lines.reduce((sum, { amount }) => sum + amount, 0n);
  const ceiling = BigInt(receipt.ceiling);
  return BigInt(receipt.amount) === (total < ceiling ? total : ceiling);
}

// Whether a proof leads from this receipt to its root; the chain shows whether the root is anchored.
export function proves(proof, receipt) {
  try {
    let node = keccak_256(digest(receipt));
    for (const sibling of proof.proof.map((each) => bytes(each, 32))) {
      node = keccak_256(join(hex(node) < hex(sibling) ? [node, sibling] : [sibling, node]));
    }
    return hex(node) === proof.root && proof.call === receipt.call;
  } catch {
    return false;
  }
}

const PROTOCOL = new Set(["role", "id", "type", "index", "tool_call_id"]);
const REASONING = ["reasoning_content", "reasoning", "reasoning_details"];

function texts(value) {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(texts).join("");
  if (!value || typeof value !== "object") return "";
  return Object.entries(value).map(([name, each]) => (PROTOCOL.has(name) ? "" : texts(each))).join("");
}

// What the receipt's `responseHash` is of: every text of a stream's deltas, the same reasoning once.
export function answerText(deltas) {
  return deltas.map((delta) => {
    const repeated = new Set(REASONING.filter((name) => texts(delta[name])).slice(1));
    return texts(Object.fromEntries(Object.entries(delta).filter(([name]) => !repeated.has(name))));
  }).join("");
}

export const textHash = (text) => hex(sha256(utf8(text)));
