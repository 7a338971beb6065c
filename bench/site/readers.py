"""The pages, and who reads them: a buyer, or the operator who sells."""

from typing import Any

import httpx

BUYERS_PAGES = {
    "services": "/",
    "service": "/s/librarian",
    "receipt": "/r",
    "account": "/account",
    "holdings": "/account/holdings",
    "notifications": "/account/notifications",
    "shares": "/shares/archive",
    "passes": "/passes/archive",
    "titles": "/titles/archive",
    "recover": "/account/recover",
    "airdrop": "/airdrop",
    "stake": "/stake",
    "stake-weeks": "/stake/weeks",
    "deals": "/deals",
    "deal": "/deals/{deal}",
    "proposals": "/proposals",
    "propose": "/proposals/new",
    "proposal": "/proposals/{proposal}",
    "powers": "/powers",
    "trust": "/trusts/{trust}",
    "markets": "/markets",
    "market": "/markets/syn-layer-1-001",
    "market-comparison": "/market-comparison?ids=syn-layer-1-001,syn-layer-1-002,syn-gaming-003",
    "market-alerts": "/market-alerts?asset=syn-layer-1-001",
    "market-keys": "/market-keys",
    "indices": "/indices",
    "index": "/indices/global-100",
    "index-position": "/indices/top-50/position?amount=5000&position_size=0.75&core=syn-layer-1-001",
    "index-comparison": "/index-comparison?ids=global-100,top-10,defi",
    "briefings": "/briefings",
    "guide": "/guides/top-10",
    "gallery": "/_gallery",
}
SELLERS_PAGES = {
    "sell": "/sell",
    "desk": "/desk",
    "operator": "/operator",
    "owner": "/operator/owner",
    "health": "/operator/health",
}
PAGES = BUYERS_PAGES | SELLERS_PAGES
EVENTS = ("balance.low", "income.arrived", "key.limit_low", "refund.sent")
QUESTIONS = ["What is a voucher?", "Who is paid?", "How do I get my money back?"]


def profiles(url: str) -> dict[str, dict[str, Any]]:
    """Return the options of each page's profile: its reader is signed in as a buyer, or as the operator who sells."""
    buyer, seller = _buyer(url), _seller(url)
    return dict.fromkeys(BUYERS_PAGES, buyer) | dict.fromkeys(SELLERS_PAGES, seller)


def _seller(url: str) -> dict[str, Any]:
    with httpx.Client(base_url=f"{url}/v1", timeout=60) as client:
        client.post("/sessions/operator", json={}).raise_for_status()
        return _profile(client, url)


def _profile(client: httpx.Client, url: str) -> dict[str, Any]:
    """Return the options of a profile that has a client's cookies."""
    cookies = [{"name": each.name, "value": each.value, "url": url} for each in client.cookies.jar]
    return {"storage_state": {"cookies": cookies, "origins": []}}


def _buyer(url: str) -> dict[str, Any]:
    """Sign in as the demo account, and make a key that paid for calls."""
    with httpx.Client(base_url=f"{url}/v1", timeout=60) as client:

        def ask(path: str, body: dict[str, Any]) -> Any:
            answer = client.post(path, json=body).raise_for_status()
            return answer.json() if answer.content else None

        ask("/sessions/demo", {})
        ask("/account/play-money", {})
        terms = {"spendingLimit": "5000000", "days": 30, "assets": [], "label": "laptop"}
        key = ask("/keys", ask("/account/key-requests", terms)["body"])
        deposit = {"channel": key["channel"], "amount": "2000000"}
        ask("/deposits", ask("/account/deposit-requests", deposit)["body"])
        bearer = {"authorization": f"Bearer {key['key']}"}
        for question in QUESTIONS:
            call = {"model": "librarian", "messages": [{"role": "user", "content": question}], "max_tokens": 200}
            client.post("/chat/completions", json=call, headers=bearer).raise_for_status()
        terms = {"events": sorted(EVENTS), "lowBalance": "1000000", "language": "en"}
        ask("/account/notifications", terms)
        ask("/account/notifications/webhook", {"url": "https://hooks.example.org/usufruct"})
        ask("/account/notifications/test", {})
        return _profile(client, url)
