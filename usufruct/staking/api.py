"""Airdrops as JSON: which are served, and an account's entry with its proof, read from disk."""

from starlette.responses import Response

from usufruct.core import Hash32, NotFound, address, hash32, hash32_from_bytes
from usufruct.staking.airdrop_file import AirdropFile
from usufruct.web import Operation, Request, Route, document_response
from usufruct_client.airdrop_documents import AirdropEntryFacts, AirdropFacts, AirdropList

PATH = "/v1/airdrops"

_LIST = Operation("List the airdrops that are served, with their roots.", AirdropList)
_ENTRY = Operation(
    "Return what an airdrop pays an account, with the proof that its contract takes.",
    AirdropEntryFacts,
    refuses={404: "no airdrop with this root is served, or it pays the account nothing"},
)


def airdrop_routes(airdrop: AirdropFile) -> list[Route]:
    """Return the routes that serve an open airdrop."""
    root = hash32_from_bytes(airdrop.root)

    async def listed(request: Request) -> Response:
        return document_response(AirdropList([AirdropFacts(root, airdrop.count, airdrop.total)]))

    async def entry(request: Request) -> Response:
        _check_root(hash32(request.path_params["root"], "root"), root)
        found = airdrop.entry_of(address(request.path_params["account"], "account"))
        proof = [hash32_from_bytes(node) for node in found.proof]
        return document_response(AirdropEntryFacts(root, found.index, found.account, found.amount, proof))

    return [Route("GET", PATH, listed, _LIST), Route("GET", f"{PATH}/{{root}}/{{account}}", entry, _ENTRY)]


def _check_root(wanted: Hash32, served: Hash32) -> None:
    if wanted != served:
        raise NotFound(
            f"no airdrop with root {wanted} is served here; {served} is", code="unknown_airdrop", root=wanted
        )
