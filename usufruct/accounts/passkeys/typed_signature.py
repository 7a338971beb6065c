"""A passkey account's signature over typed data (ERC-1271, wrapped by ERC-7739), for a contract that asks for one.

The wrapping binds it to one account: the same passkey's signature is good for no other account.
"""

from usufruct.chain import keccak, word
from usufruct.core import Address, ChainId, id_to_bytes
from usufruct_client.eip712_messages import MessageType

_NAME, _VERSION = keccak(b"Usufruct Account"), keccak(b"1")


def typed_digest(chain_id: ChainId, account: Address, kind: MessageType, separator: bytes, contents: bytes) -> bytes:
    """Return the 32 bytes that a passkey signs: a message of a kind, with its struct hash, under a domain."""
    wrapped = (
        f"TypedDataSign({kind.name} contents,string name,string version,uint256 chainId,address verifyingContract,"
        f"bytes32 salt){_structs(kind)}"
    )
    place = word(chain_id) + bytes(12) + id_to_bytes(account) + bytes(32)
    struct = keccak(keccak(wrapped.encode()) + contents + _NAME + _VERSION + place)
    return keccak(b"\x19\x01" + separator + struct)


def typed_signature(signature: bytes, kind: MessageType, separator: bytes, contents: bytes) -> bytes:
    """Return the account's signature over a message, made of its signature over `typed_digest`.

    The name of a message that holds structs follows the declarations: these are sorted by name, so the message's own
    need not come first.
    """
    text = (_structs(kind) + (kind.name if kind.parts else "")).encode()
    return signature + separator + contents + text + len(text).to_bytes(2, "big")


def _structs(kind: MessageType) -> str:
    """Return the declarations of a message and of the structs that it holds, in the order of their names."""
    return "".join(sorted(each.text for each in (kind, *kind.parts)))
