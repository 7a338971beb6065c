// Prints the root and every proof that OpenZeppelin's merkle-tree computes for the entries on standard input.
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";

let input = "";
for await (const chunk of process.stdin) input += chunk;
const tree = StandardMerkleTree.of(JSON.parse(input), ["uint256", "address", "uint256"]);
const proofs = [...tree.entries()].map(([i]) => tree.getProof(i));
process.stdout.write(JSON.stringify({ root: tree.root, proofs }));
