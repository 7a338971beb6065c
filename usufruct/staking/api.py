"""Airdrops as JSON: which are served, an account's entry with its proof, how it stands, and its claim."""

from dataclasses import replace

from starlette.responses import Response

from usufruct.accounts import Sessions
from usufruct.core import Address, Denied, address, hash32, hash32_from_bytes
from usufruct.staking.airdrop_claims import AirdropClaims, AirdropStatus, EntryStatus
from usufruct.staking.airdrop_locks import AirdropLocks
from usufruct.staking.errors import InvalidStake
from usufruct.staking.served_airdrops import ServedAirdrop
from usufruct.web import Operation, Request, Route, client_network, document_response
from usufruct.web.ui import PageRoute
from usufruct_client.airdrop_documents import (
    AirdropClaimFacts,
    AirdropEntryFacts,
    AirdropFacts,
    AirdropList,
    AirdropLockWish,
)
from usufruct_client.stake_documents import StakeRequest

PATH = "/v1/airdrops"
_ENTRY_PATH = f"{PATH}/{{root}}/{{account}}"

_UNKNOWN = {404: "no airdrop with this root is served, or it pays the account nothing"}
_AWAY = {503: "the chain's node does not answer"}
_LIST = Operation("List the airdrops that are served, and how each stands.", AirdropList, refuses=_AWAY)
_ENTRY = Operation(
    "Return what an airdrop pays an account, with the proof that its contract takes.",
    AirdropEntryFacts,
    refuses=_UNKNOWN,
)
_STATUS = Operation("Tell how an account's entry stands.", AirdropClaimFacts, refuses=_UNKNOWN | _AWAY)
_CLAIM = Operation(
    "Claim an account's entry; the operator pays the gas. The same again is only looked up.",
    AirdropClaimFacts,
    refuses={
        **_UNKNOWN,
        403: "another site's page sent it",
        409: "the contract would not pay it: not deployed, ended, not funded, or refused",
        429: "as many came from the caller's network today, the day's gas is spent, or the claim failed today",
        503: "the chain's node does not answer, or the operator's key holds too little for gas",
    },
)
_LOCK = Operation(
    "Return what the signed-in account signs or sends to claim its entry straight into a lock.",
    StakeRequest,
    AirdropLockWish,
    takes={"cookie": "the session's"},
    refuses=_UNKNOWN
    | _AWAY
    | {
        401: "no one is signed in",
        403: "another account is signed in",
        409: "the contracts would refuse it; the code says why",
    },
)


_SWEEP = Operation(
    "Send what an ended airdrop has left to its treasury; the operator pays the gas, once.",
    AirdropFacts,
    refuses={
        404: "no airdrop with this root is served",
        403: "another site's page sent it",
        409: "claims have not ended",
        503: "the chain's node does not answer, or the operator's key holds too little for gas",
    },
)


def airdrop_routes(claims: AirdropClaims) -> list[Route]:
    """Return the routes under `/v1/airdrops`. A claim pays the account of its entry, so it needs no session."""

    async def listed(request: Request) -> Response:
        return document_response(AirdropList([_airdrop(await claims.overview(each)) for each in claims.served]))

    async def sweep(request: Request) -> Response:
        airdrop = claims.served.find(hash32(request.path_params["root"], "root"))
        return document_response(_airdrop(await claims.sweep(airdrop)))

    async def entry(request: Request) -> Response:
        airdrop, account = _named(request)
        found = airdrop.file.entry_of(account)
        proof = [hash32_from_bytes(node) for node in found.proof]
        return document_response(AirdropEntryFacts(airdrop.root, found.index, found.account, found.amount, proof))

    async def status(request: Request) -> Response:
        return _claim(await claims.status(*_named(request)))

    async def claim(request: Request) -> Response:
        return _claim(await claims.claim(*_named(request), client_network(request.exchange)))

    def _named(request: Request) -> tuple[ServedAirdrop, Address]:
        root, account = request.path_params["root"], request.path_params["account"]
        return claims.served.find(hash32(root, "root")), address(account, "account")

    return [
        Route("GET", PATH, listed, _LIST),
        PageRoute("POST", f"{PATH}/{{root}}/sweep", sweep, _SWEEP),
        Route("GET", _ENTRY_PATH, entry, _ENTRY),
        Route("GET", f"{_ENTRY_PATH}/claim", status, _STATUS),
        PageRoute("POST", f"{_ENTRY_PATH}/claim", claim, _CLAIM),
    ]


def airdrop_lock_routes(claims: AirdropClaims, locks: AirdropLocks, sessions: Sessions) -> list[Route]:
    """Return the route by which the signed-in account locks its entry."""

    async def lock(request: Request) -> Response:
        own, account = (await sessions.require(request.exchange)).address, address(request.path_params["account"])
        if own != account:
            raise Denied(f"{own} is signed in, and the entry is {account}'s", code="other_account", field="account")
        wish = await request.read(AirdropLockWish, lambda message, field: InvalidStake(message, field=field))
        airdrop = claims.served.find(hash32(request.path_params["root"], "root"))
        steps = await locks.steps(airdrop, account, wish.weeks)
        return document_response(steps.document(locks.chain_id))

    return [PageRoute("POST", f"{_ENTRY_PATH}/lock-requests", lock, _LOCK)]


def _airdrop(found: AirdropStatus) -> AirdropFacts:
    airdrop, terms = found.airdrop, found.terms
    facts = AirdropFacts(airdrop.root, airdrop.file.count, airdrop.file.total, found.state.value)
    if terms is None:
        return facts
    return replace(facts, contract=airdrop.place, claims_end=terms.deadline, treasury=terms.treasury, left=found.left)


def _claim(found: EntryStatus) -> Response:
    entry, terms = found.entry, found.terms
    return document_response(
        AirdropClaimFacts(
            found.airdrop.root,
            entry.account,
            entry.amount,
            found.state.value,
            found.transaction,
            found.reason,
            found.airdrop.place,
            terms.deadline if terms else None,
            terms.treasury if terms else None,
        )
    )
