// Bytes as hexadecimal text that starts with 0x, and back.

export function bytes(hex) {
  return Uint8Array.from(hex.slice(2).match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export const hex = (content) => "0x" + [...content].map((byte) => byte.toString(16).padStart(2, "0")).join("");
