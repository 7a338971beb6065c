// What an operator writes with OpenZeppelin's merkle-tree: the rows of a CSV file in, the root out. It writes no proofs.
import { readFileSync } from "node:fs";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";

const [, ...lines] = readFileSync(process.argv[2], "utf8").trimEnd().split("\n");
const rows = lines.map((line) => line.split(",")).sort(([a], [b]) => (a < b ? -1 : 1));
const values = rows.map(([account, units], index) => [String(index), account, units]);
const tree = StandardMerkleTree.of(values, ["uint256", "address", "uint256"]);
process.stdout.write(JSON.stringify({ root: tree.root, rss: process.resourceUsage().maxRSS }));
