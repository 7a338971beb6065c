"""`usufruct sell`: from an OpenAI-compatible upstream to a priced, paid endpoint, in one command."""

import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Annotated, Any
from urllib.parse import urlsplit

from typer import Option

from usufruct.app import Installation, open_installation
from usufruct.assets import (
    FREE,
    USUAL_WINDOW,
    Caps,
    Listing,
    Listings,
    RegistryClient,
)
from usufruct.chain.anvil import free_port
from usufruct.cli.service import facts_of, list_payee_of
from usufruct.cli.support.command import ADDRESS
from usufruct.cli.support.instance_lock import live_gateway_url
from usufruct.cli.support.output import Json, print_line, words
from usufruct.cli.support.price_options import CachedInput, PricedIn, card_change
from usufruct.cli.support.progress import Progress
from usufruct.cli.support.prompts import at_terminal
from usufruct.cli.support.runner import run
from usufruct.cli.support.server_process import run_until_stopped
from usufruct.cli.support.tunnels import Tunnel, find_tunnel, open_tunnel
from usufruct.cli.support.upstream_picker import Source, find_source
from usufruct.cli.up import Place, bring_up
from usufruct.config import Config, load_config
from usufruct.core import Address, ChainId, Invalid, address
from usufruct.core.networks import is_devnet, is_local
from usufruct.core.price_cards import PriceUnit
from usufruct.gateway import (
    Catalogue,
    CountingRule,
    Endpoint,
    Operator,
    ServedListing,
    check_name_free,
    plain_listing,
    registered_listing,
)

INPUT, OUTPUT, PER_CALL = "0.5", "1.5", "0"
"""What is taken when nothing is said: whole units per million text tokens and per call."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the seller decided; `prices` are the arguments of `card_change`."""

    name: str
    kind: Endpoint
    pay_to: Address | None
    asset: str
    prices: dict[str, Any]
    caps: Caps
    forward: frozenset[str]
    replace: bool

    def check(self) -> None:
        """Refuse no payee or two, and prices for an asset that has its own."""
        if bool(self.pay_to) == bool(self.asset):
            raise Invalid(
                "give one of --pay-to ADDRESS and --asset ID_OR_NAME: who receives the income", code="invalid_choice"
            )
        given = [name.removesuffix("_price") for name, price in self.prices.items() if price is not None]
        if self.asset and given:
            extra = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise Invalid(f"{extra}: the asset's own price card holds; change it there", code="invalid_choice")


def output_caps(most: int | None = None, usual: int | None = None, reasoning: int = 0) -> Caps:
    """Return the limits of output; what is open by default is never above the most."""
    most = most or Caps().largest_output
    return Caps(usual or min(Caps().usual_output, most), most, reasoning_output=reasoning)


def sell(
    upstream: Annotated[str, Option(help="Base URL of an OpenAI-compatible server.")] = "",
    model: Annotated[str, Option(help="Its name for the model; its only one if not given.")] = "",
    name: Annotated[str, Option(help="The service's name here; the model's if not given.")] = "",
    key_file: Annotated[Path | None, Option(help="File that holds the upstream's API key.")] = None,
    input_price: Annotated[
        str | None, Option("--input", help=f"Per million input tokens; {INPUT} if not given.")
    ] = None,
    output_price: Annotated[
        str | None, Option("--output", help=f"Per million output tokens; {OUTPUT} if not given.")
    ] = None,
    per_call: Annotated[str | None, Option("--per-call", help=f"Per call; {PER_CALL} if not given.")] = None,
    cached_input: CachedInput = None,
    unit: PricedIn = None,
    context: Annotated[int | None, Option(help=f"Context window; what the upstream says, or {USUAL_WINDOW}.")] = None,
    pay_to: Annotated[Address | None, Option(**ADDRESS, help="Who receives the income; nothing is registered.")] = None,
    asset: Annotated[str, Option(help="Id or name of a registered asset, whose shares receive the income.")] = "",
    vocabulary: Annotated[
        Path | None, Option(help="tokenizers JSON file to count text by; by the byte if not given.")
    ] = None,
    kind: Annotated[Endpoint, Option(help="What it answers.")] = Endpoint.CHAT,
    max_output: Annotated[int | None, Option(min=1, help="Most output tokens of one call.")] = None,
    default_output: Annotated[int | None, Option(min=1, help="Output tokens of a call without a limit; 4096.")] = None,
    reasoning_output: Annotated[int, Option(min=0, help="Most hidden reasoning tokens charged of a call.")] = 0,
    forward: Annotated[list[str] | None, Option(help="Member of requests to forward, not drop; repeatable.")] = None,
    replace_it: Annotated[bool, Option("--replace", help="Sell this in place of the one with the name.")] = False,
    bring_it_up: Annotated[
        bool | None, Option("--up/--no-up", help="Bring the installation up unless it runs; at a terminal anyway.")
    ] = None,
    public: Annotated[bool, Option("--public", help="Make the gateway reachable from the internet meanwhile.")] = False,
    tunnel: Annotated[str, Option(help="By cloudflared, tailscale or ssh; what is installed if not given.")] = "",
    as_json: Json = False,
) -> None:
    """Sell a model: look at the upstream, list the payee, put it on offer. Prices are in whole units of the token."""
    config, progress = load_config(), Progress(to_stderr=as_json)
    prices: dict[str, Any] = {"input_price": input_price, "output_price": output_price, "per_call": per_call}
    prices |= {"cached_input": cached_input, "unit": unit, "context": context or None}
    if not pay_to and not asset and config.chain.fee_sink:
        pay_to = address(config.chain.fee_sink, "chain.fee_sink")
    caps = output_caps(max_output, default_output, reasoning_output)
    choices = Choices(name, kind, pay_to, asset, prices, caps, frozenset(forward or ()), replace_it)
    choices.check()

    way = find_tunnel(tunnel) if public or tunnel else None

    async def look() -> tuple[Source, str | None]:
        return await find_source(upstream, model, key_file, vocabulary, kind, progress), await live_gateway_url(config)

    async def offer(url: str) -> None:
        async with open_installation(config) as installation:
            sold = await _offer(installation, source, choices, progress)
            where = {"url": url, "public_url": config.gateway.public_url or None}
            _tell(progress, facts_of(sold, installation) | where, installation.chain_id, as_json=as_json)

    async def then_offer(place: Place) -> None:
        await offer(place["url"])
        progress.say(f"The installation runs here (data in {place['data_folder']}); Ctrl-C ends it.")

    async def sell_and_run() -> None:
        async with AsyncExitStack() as stack:
            here = config if way is None else await _publish_first(way, config, progress, stack)
            await bring_up(here, progress, then_offer)

    async def sell_and_publish(url: str, way: Tunnel) -> None:
        await offer(url)
        port = urlsplit(url).port
        assert port is not None
        async with AsyncExitStack() as stack:
            address = await _publish(way, port, progress, stack)
            if address != config.gateway.public_url:
                progress.say(f'Its pages and quotes name it so after a restart with gateway.public_url = "{address}"')
            await asyncio.Event().wait()

    source, url = run(look)
    if bring_it_up is None:
        bring_it_up = is_local(config.chain.id) or at_terminal() or public
    if url is None and bring_it_up:
        progress.say("nothing runs for this installation yet: bringing it up, as `usufruct up` does")
        run_until_stopped(sell_and_run)
    elif url is not None and way is not None:
        there, found = url, way
        run_until_stopped(lambda: sell_and_publish(there, found))
    else:
        if url is None:
            progress.say("no gateway answers for this installation: `usufruct up` starts one")
        run(lambda: offer(url or f"http://{config.gateway.host}:{config.gateway.port}/v1"))


async def _publish_first(way: Tunnel, config: Config, progress: Progress, stack: AsyncExitStack) -> Config:
    """Open a tunnel to where the gateway will be; return the settings by which it knows its public address."""
    port = config.gateway.port or free_port()
    address = await _publish(way, port, progress, stack)
    return replace(config, gateway=replace(config.gateway, port=port, public_url=address))


async def _publish(way: Tunnel, port: int, progress: Progress, stack: AsyncExitStack) -> str:
    """Open a tunnel to the gateway's port; show and return its public address."""
    with progress.working(f"opening a tunnel by {way.name} ({way.maker}): it ends when this does"):
        public = await stack.enter_async_context(open_tunnel(way, port))
    progress.say(f"public   {public}/v1")
    progress.draw(public)
    return public


async def _offer(installation: Installation, source: Source, choices: Choices, progress: Progress) -> ServedListing:
    """Have the payee listed, then put the service on sale."""
    name = choices.name or source.upstream.model
    await check_name_free(installation.get(Listings), name, replace_active=choices.replace)
    listing = await _listing(installation, choices, name, source.context_window or USUAL_WINDOW)
    await list_payee_of(installation, listing, listing.pay_to, progress)
    counting = CountingRule(forward=choices.forward, bytes_per_token_ppm=source.bytes_per_token_ppm)
    served = ServedListing.of(listing, (source.upstream,), counting)
    return await installation.get(Catalogue).add(served, source.vocabulary, replace_active=choices.replace)


async def _listing(installation: Installation, choices: Choices, name: str, window: int) -> Listing:
    """Return what is sold: for a plain payee at the given prices, or with payee and card of a registered asset."""
    operator = installation.get(Operator)
    if choices.asset:
        registry = installation.get(RegistryClient)
        asset = await registry.find(choices.asset)
        return await registered_listing(registry, operator, name, choices.kind, asset, window, choices.caps)
    assert choices.pay_to is not None
    usual = card_change(operator.decimals, INPUT, OUTPUT, PER_CALL, context=window).of(FREE)
    card = card_change(operator.decimals, **choices.prices).of(usual)
    return plain_listing(name, choices.kind, choices.pay_to, card, choices.caps)


def _tell(progress: Progress, sold: dict[str, Any], chain_id: ChainId, *, as_json: bool) -> None:
    if as_json:
        print_line(sold)
        return
    say = progress.say
    units = PriceUnit(sold["unit"]).plural
    cached = sold["cached_input_percent"]
    say(
        f"{sold['name']} is on sale: {sold['input_per_million']} per million {units} of input"
        f"{'' if cached == '100' else f' (cached: {cached} % of that)'}, {sold['output_per_million']} per "
        f"million of output, {sold['per_call']} per call, in {sold['symbol']}"
    )
    if sold["unit"] != PriceUnit.TEXT_TOKEN:
        say(f"{sold['kind']} is measured in text tokens: calls are refused until the price card counts in them")
    say(f"income goes to {sold['pay_to']}. To call it, in another terminal:")
    wallet = "4" if is_devnet(chain_id) else "me"
    if wallet == "me":
        say("usufruct wallet new me")
    say(f"usufruct wallet fund {wallet}" if is_local(chain_id) else f"(send {sold['symbol']} to its address)")
    say(f"usufruct key create --wallet {wallet} --limit 5 --deposit 2 --save")
    if sold["kind"] == Endpoint.CHAT.value:
        say(f"usufruct call {quote(sold['name'])} Hello")
    say(f"or in Python, with the key that was printed (`{sys.executable}` has openai; elsewhere: pip install openai):")
    what, asked, shown = (
        "chat.completions",
        'messages=[{"role": "user", "content": "Hello"}]',
        "choices[0].message.content",
    )
    if sold["kind"] == Endpoint.EMBEDDINGS.value:
        what, asked, shown = "embeddings", 'input="Hello"', "data[0].embedding"
    for line in (
        "",
        "from openai import OpenAI",
        f'client = OpenAI(base_url="{sold["url"]}", api_key="uf_...")',
        f'answer = client.{what}.create(model="{sold["name"]}", {asked})',
        f"print(answer.{shown}, answer.usage.cost)",
        "",
    ):
        progress.console.print(words(line), soft_wrap=True)  # at the margin: Python minds
    if sold["public_url"]:
        say(f"Callers elsewhere use {sold['public_url']}/v1 instead.")
