"""A wallet that a browser's extension would inject (EIP-6963), whose key is in the test."""

import json
from collections.abc import Callable
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from playwright.async_api import Page

from tests.support.waiting import until
from usufruct.chain import Call, Client
from usufruct.core import Address, UsufructError

_INJECTED = """(() => {
  const listeners = [];
  const provider = {
    request: async ({ method, params }) => {
      const answer = await window.askTestWallet(method, params ?? []);
      if (answer.error) throw Object.assign(new Error(answer.error), { code: answer.code });
      return answer.result;
    },
    on: (event, listener) => { if (event === "accountsChanged") listeners.push(listener); },
  };
  window.changeTestAccount = (address) => listeners.forEach((each) => each([address]));
  const info = { uuid: "6f1d9c3e-0000-4000-8000-000000000001", name: NAME, icon: ICON, rdns: "org.example.wallet" };
  const announce = () => dispatchEvent(
    new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})();"""

_PASSED_ON = ("eth_sendTransaction", "eth_getTransactionReceipt", "eth_getTransactionCount")


class InjectedWallet:
    """Answers a page's requests as a wallet whose owner agrees, or declines while `declines`; counts what it signed."""

    def __init__(
        self,
        account: Any = None,
        name: str = "Test Wallet",
        icon: str = "data:image/png;base64,",
        chain: int = 31337,
        node: Client | None = None,
    ) -> None:
        """Send transactions through `node`, a devnet's."""
        self._node = node
        self.account = account or Account.create()
        self.declines = False
        self.chain = chain
        self.signed: list[str] = []
        self.transactions: list[str] = []
        self._script = _INJECTED.replace("NAME", json.dumps(name)).replace("ICON", json.dumps(icon))

    async def inject(self, page: Page) -> None:
        """Be there before the page's scripts run."""
        await page.expose_function("askTestWallet", self._answer)
        await page.add_init_script(self._script)

    async def has_sent(self, transactions: int) -> None:
        """Wait until it has sent so many transactions."""

        async def sent() -> bool:
            return len(self.transactions) >= transactions

        await until(sent)

    async def _sent(self, node: Client, method: str, params: list[Any]) -> dict[str, Any]:
        """Pass on what concerns transactions, as a wallet does: simulated first."""
        try:
            if method == "eth_sendTransaction":
                await node.ask("anvil_impersonateAccount", params[0]["from"])
                call = Call(Address(params[0]["to"]), bytes.fromhex(params[0]["data"][2:]))
                await node.call(call, sender=Address(params[0]["from"]))
            result = await node.ask(method, *params)
            if method == "eth_sendTransaction":
                self.transactions.append(result)
            return {"result": result}
        except UsufructError as error:
            return {"error": error.message, "code": -32000}

    async def _answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        if method in ("eth_requestAccounts", "eth_accounts"):
            return {"result": [self.account.address]}
        if self.declines:
            return {"error": "User rejected the request.", "code": 4001}
        if method == "eth_chainId":
            return {"result": hex(self.chain)}
        if self._node and method in _PASSED_ON:
            return await self._sent(self._node, method, params)
        if method == "wallet_switchEthereumChain":
            self.chain = int(params[0]["chainId"], 16)
            return {"result": None}
        if method == "eth_signTypedData_v4" and int(json.loads(params[1])["domain"]["chainId"]) != self.chain:
            return {"error": f"the chain of the data must be the active one, {self.chain}", "code": -32603}
        messages: dict[str, Callable[[], Any]] = {
            "personal_sign": lambda: encode_defunct(hexstr=params[0]),
            "eth_signTypedData_v4": lambda: encode_typed_data(full_message=json.loads(params[1])),
        }
        if method not in messages:
            return {"error": f"the test wallet does not know {method}", "code": 4200}
        self.signed.append(method)
        signature = self.account.sign_message(messages[method]()).signature.hex()
        return {"result": "0x" + signature.removeprefix("0x")}
