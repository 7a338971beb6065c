// Keccak-256, and what is hashed with it: EIP-712 documents, and calls in a batch. The browser computes what it signs.

import { bytes, hex } from "./hex.js";

const MASK = (1n << 64n) - 1n;
const RATE = 136;
const ROTATIONS = [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
const LANES = [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];

// The round constants, from the linear feedback shift register that the standard defines them by.
const CONSTANTS = (() => {
  const found = [];
  let register = 1;
  for (let round = 0; round < 24; round += 1) {
    let constant = 0n;
    for (let bit = 0; bit < 7; bit += 1) {
      if (register & 1) constant |= 1n << ((1n << BigInt(bit)) - 1n);
      register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
    }
    found.push(constant);
  }
  return found;
})();

const rotate = (lane, by) => ((lane << BigInt(by)) | (lane >> BigInt(64 - by))) & MASK;

function permute(state) {
  for (const constant of CONSTANTS) {
    const columns = [0, 1, 2, 3, 4].map((x) => state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20]);
    for (let x = 0; x < 5; x += 1) {
      const mixed = columns[(x + 4) % 5] ^ rotate(columns[(x + 1) % 5], 1);
      for (let y = 0; y < 25; y += 5) state[x + y] ^= mixed;
    }
    let moved = state[1];
    LANES.forEach((lane, step) => {
      [state[lane], moved] = [rotate(moved, ROTATIONS[step]), state[lane]];
    });
    for (let y = 0; y < 25; y += 5) {
      const row = state.slice(y, y + 5);
      for (let x = 0; x < 5; x += 1) state[x + y] = row[x] ^ (~row[(x + 1) % 5] & MASK & row[(x + 2) % 5]);
    }
    state[0] ^= constant;
  }
}

export function keccak(bytes) {
  const state = Array(25).fill(0n);
  const padded = new Uint8Array(Math.floor(bytes.length / RATE + 1) * RATE);
  padded.set(bytes);
  padded[bytes.length] ^= 0x01;
  padded[padded.length - 1] ^= 0x80;
  const words = new DataView(padded.buffer);
  for (let block = 0; block < padded.length; block += RATE) {
    for (let lane = 0; lane < RATE / 8; lane += 1) state[lane] ^= words.getBigUint64(block + 8 * lane, true);
    permute(state);
  }
  const out = new DataView(new ArrayBuffer(32));
  for (let lane = 0; lane < 4; lane += 1) out.setBigUint64(8 * lane, state[lane], true);
  return new Uint8Array(out.buffer);
}

export const text = (string) => new TextEncoder().encode(string);

export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

export function word(number) {
  const value = BigInt(number);
  if (value < 0n || value >> 256n) throw new Error("not a word");
  return bytes("0x" + value.toString(16).padStart(64, "0"));
}

const WRITERS = {
  string: (value) => keccak(text(value)),
  bytes: (value) => keccak(bytes(value)),
  bytes32: word,
};

const NAME = /^[A-Za-z_]\w*$/;
const TYPE = /^[A-Za-z_]\w*(\[\])?$/;

// The names of the structs that a struct holds, and of those in them, in order.
function heldBy(name, types, held = new Set()) {
  for (const { type } of types[name]) {
    const inner = type.replace("[]", "");
    if (inner in types && !held.has(inner)) heldBy(inner, types, held.add(inner));
  }
  return [...held].sort();
}

// The declarations of structs, as EIP-712 hashes them.
function declared(names, types) {
  return names.map((struct) => {
    const fields = types[struct].map(({ type, name }) => {
      if (!NAME.test(name) || !TYPE.test(type)) throw new Error("not a field");  // its text would pass for other fields
      return `${type} ${name}`;
    });
    return `${struct}(${fields.join(",")})`;
  }).join("");
}

function encoded(type, types, value) {
  if (type.endsWith("[]")) return keccak(join(...value.map((each) => encoded(type.slice(0, -2), types, each))));
  return type in types ? structHash(type, types, value) : (WRITERS[type] ?? word)(value);
}

export function structHash(name, types, value) {
  const words = types[name].map((each) => encoded(each.type, types, value[each.name]));
  return keccak(join(keccak(text(declared([name, ...heldBy(name, types)], types))), ...words));
}

// What is signed of an EIP-712 document.
export function documentHash({ types, primaryType, domain, message }) {
  const separator = structHash("EIP712Domain", types, domain);
  return keccak(join(bytes("0x1901"), separator, structHash(primaryType, types, message)));
}

// The same for a passkey account, wrapped by ERC-7739: the signature is good for this account alone.
export function accountHash({ types, primaryType, domain, message }, account) {
  const separator = structHash("EIP712Domain", types, domain);
  const kind = "TypedDataSign(" + primaryType + " contents,string name,string version,uint256 chainId,"
    + "address verifyingContract,bytes32 salt)" + declared([primaryType, ...heldBy(primaryType, types)].sort(), types);
  const place = join(word(domain.chainId), word(account), word(0));
  const contents = structHash(primaryType, types, message);
  const names = join(keccak(text("Usufruct Account")), keccak(text("1")));
  return keccak(join(bytes("0x1901"), separator, keccak(join(keccak(text(kind)), contents, names, place))));
}

export const selector = (signature) => hex(keccak(text(signature)).slice(0, 4));

// The calls in the calldata of an account's `execute`; throws where they are not a batch in its canonical form.
export function batchOf(callData) {
  const data = bytes(callData);
  const number = (at) => Number(BigInt(hex(data.slice(at, at + 32))));
  const head = selector("execute(bytes32,bytes)") + "01" + "00".repeat(31);
  if (!callData.startsWith(head) || number(36) !== 64) throw new Error("not a batch");
  const list = 100 + 32;  // selector, mode, offset, length; then the offset of the list
  if (number(100) !== 32) throw new Error("not a batch");
  const first = list + 32;
  return Array.from({ length: number(list) }, (_, index) => {
    const at = first + number(first + 32 * index);
    const start = at + number(at + 64) + 32;
    const content = data.slice(start, start + number(start - 32));
    return { to: hex(data.slice(at + 12, at + 32)), value: BigInt(hex(data.slice(at + 32, at + 64))), data: hex(content) };
  });
}

// The calls of an account's operation that creates nothing and pays no gas; none where a document is anything else.
export function callsOf({ primaryType, message }, account) {
  const plain = primaryType === "PackedUserOperation" && message.sender.toLowerCase() === account
    && message.initCode === "0x" && message.paymasterAndData === "0x" && BigInt(message.gasFees) === 0n;
  return plain ? batchOf(message.callData) : [];
}
