"""Every setting: its type, bounds and meaning beside its default, in the section that the file names it by."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import AfterValidator

from usufruct.config.values import (
    NO_SECRET,
    Amount,
    OptionalAddress,
    PublicUrl,
    Secret,
    addresses,
    logo_file,
    power_of_two,
    readable,
    whole,
)
from usufruct.core.address_lists import read_airdrops, read_allocation, read_deals, read_publishers
from usufruct.core.networks import DEVNET_CHAIN_ID, is_local
from usufruct.core.setting_texts import (
    read_amount_or_zero,
    read_call_price,
    read_call_prices,
    read_colour,
    read_day,
    read_explorer,
    read_sender,
    read_site_name,
    read_venues,
)


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Where this installation keeps its files, and the secret that what it stores is sealed under."""

    folder: Annotated[Path, "where its files are"] = field(
        default_factory=lambda: platformdirs.user_data_path("usufruct")
    )
    secret: Annotated[Secret, "seals what the database keeps secret"] = NO_SECRET


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    """Which database."""

    url: Annotated[str, "empty: `usufruct.db` in the data folder"] = ""


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """Which chain, the node that answers for it, and how often to look whether a transaction was mined."""

    rpc_url: Annotated[str, "the node's address"] = "http://127.0.0.1:8545"
    id: Annotated[int, whole(1, (1 << 53) - 1), "EIP-155 chain id"] = DEVNET_CHAIN_ID
    poll_milliseconds: Annotated[int, whole(1, 3_600_000), "pause between two polls of the chain"] = 500
    node_seconds: Annotated[int, whole(1, 60), "that a page, or the first question to the node, waits for it"] = 5
    confirmations: Annotated[int, whole(1, 10_000), "blocks until a deposit or claim counts"] = 1
    token: Annotated[OptionalAddress, "the dollar to charge in; empty: the devnet's"] = ""
    fee_sink: Annotated[OptionalAddress, "the operator's fee account: income without a payee, fees without a DAO"] = ""
    fee_bps: Annotated[int, whole(0, 1_000), "protocol fee when contracts are deployed, hundredths of a per cent"] = 0
    wrapped_native: Annotated[OptionalAddress, "the chain's wrapped coin; empty where it is known"] = ""


@dataclass(frozen=True, slots=True)
class ClaimsConfig:
    """When a worker claims, and what a payee gets of it."""

    threshold: Annotated[Amount, "a channel that owes this is claimed at once"] = "1"
    daily_cap: Annotated[Amount, "most that `deploy` lets the till pay one payee in a day"] = "1000"
    address: Annotated[OptionalAddress, "the claim key's, for machines without the key"] = ""


@dataclass(frozen=True, slots=True)
class RefundsConfig:
    """Refunds that payers ask for."""

    cooling_seconds: Annotated[int, whole(0, 30 * 86_400), "since a deposit or refund sent by us"] = 86_400
    least: Annotated[Amount, "smallest amount worth its gas"] = "0.01"


@dataclass(frozen=True, slots=True)
class LedgerConfig:
    """How the call ledger behaves."""

    lease_seconds: Annotated[int, whole(1, 86_400), "until a silent replica loses its calls"] = 30
    answer_hours: Annotated[int, whole(1, 87_600), "until a stored answer is forgotten"] = 24


@dataclass(frozen=True, slots=True)
class KeysConfig:
    """The roles' keys."""

    folder: Annotated[Path, "keystore files, `<role>.json` each"] = field(
        default_factory=lambda: platformdirs.user_config_path("usufruct") / "keys"
    )
    password: Annotated[Secret, "of the keystore files"] = NO_SECRET
    scrypt_n: Annotated[
        int, whole(1 << 12, 1 << 19), AfterValidator(power_of_two), "work to guess a password; low for a random one"
    ] = 1 << 18


@dataclass(frozen=True, slots=True)
class RelayerConfig:
    """What the relayer spends on accounts that only sign, and on airdrops; what could pass a bound is refused."""

    account_gas: Annotated[int, whole(0, 1_000_000_000), "most gas for one account in 24 hours"] = 4_000_000
    daily_coins: Annotated[Amount, "most of the chain's coin for all accounts in 24 hours"] = "0.05"
    airdrop_coins: Annotated[Amount, "most of the chain's coin for claims of airdrops in a UTC day"] = "0.02"
    airdrop_claims: Annotated[int, whole(0, 1_000_000), "most of them for one network in a UTC day"] = 10


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Where the gateway listens, how it treats connections, and how it stops.

    A load balancer sees the gateway unready for `drain_lead_seconds` before it closes its listener. A call that is cut
    is charged for what was delivered. Pages pay by headers that they hold themselves, never by cookies.
    """

    host: Annotated[str, "address to listen at"] = "127.0.0.1"
    port: Annotated[int, whole(0, 65_535), "0: a free one"] = 8402
    public_url: Annotated[PublicUrl, "what callers reach it by, behind a proxy; empty: as they called it"] = ""
    least_deposit: Annotated[Amount, "smallest deposit worth its gas"] = "0.1"
    keep_alive_seconds: Annotated[int, whole(1, 3_600), "of idle connections; longer than clients'"] = 75
    drain_seconds: Annotated[int, whole(0, 3_600), "on SIGTERM, until running calls are cut"] = 30
    drain_lead_seconds: Annotated[int, whole(0, 300), "before that: unready, but taking calls"] = 0
    connections: Annotated[int, whole(10, 100_000), "served at once; more get 503"] = 2_000
    offers_per_second: Annotated[int, whole(0, 100_000), "x402 offers signed at most; 0: none"] = 500
    calls_per_minute: Annotated[int, whole(0, 1_000_000), "of one payer in one replica, more by level; 0: any"] = 0
    writes_per_minute: Annotated[int, whole(0, 1_000_000), "of one network in one replica, unpaid; 0: any"] = 120
    cors_origins: Annotated[str, "web pages that may call, spaces between; `*`: any"] = "*"

    @property
    def longest_drain(self) -> int:
        """How many seconds pass at most from SIGTERM until running calls are cut."""
        return self.drain_lead_seconds + self.drain_seconds


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """Where `/metrics` is read, which shows aggregate spending. Bind to a private interface."""

    host: Annotated[str, "address to listen at"] = "127.0.0.1"
    gateway_port: Annotated[int, whole(0, 65_535), "0: nowhere"] = 0
    worker_port: Annotated[int, whole(0, 65_535), "0: nowhere"] = 0


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """How the pages look."""

    name: Annotated[str, AfterValidator(read_site_name), "the operator's, on every page"] = "Usufruct"
    accent: Annotated[str, AfterValidator(read_colour), "the accent colour; text in it is made readable"] = "#0b7a5a"
    logo: Annotated[str, AfterValidator(logo_file), "an .svg, .png or .webp file; empty: the name alone"] = ""
    verified: Annotated[str, readable(read_publishers), "publishers you vouch for: ADDRESS=NAME, by commas"] = ""
    explorer: Annotated[
        str, AfterValidator(read_explorer), "site that addresses link to; empty: the usual one of a known chain"
    ] = ""
    language: Annotated[Literal["en", "de"], "for readers whose browser asks for no language of ours"] = "en"


@dataclass(frozen=True, slots=True)
class OperatorConfig:
    """Who sells and looks after this installation in a browser, beside the owner's wallet; what they may connect to."""

    admin: Annotated[str, AfterValidator(addresses), "wallets that may, spaces between"] = ""
    private_upstreams: Annotated[
        Literal["local", "yes", "no"],
        "may servers sold in a browser, and webhooks, be in private networks; local: on local chains",
    ] = "local"


@dataclass(frozen=True, slots=True)
class MailConfig:
    """The mail server that persons are written to by, where they want to be."""

    host: Annotated[str, "the SMTP server; empty: no e-mail is sent"] = ""
    port: Annotated[int, whole(1, 65_535), "its port; usually 465 with `tls`"] = 587
    security: Annotated[Literal["starttls", "tls", "none"], "none: for a server on this machine"] = "starttls"
    user: Annotated[str, "empty: without a log-in"] = ""
    password: Annotated[Secret, "of that user"] = NO_SECRET
    sender: Annotated[str, AfterValidator(read_sender), "what e-mails come from: NAME <ADDRESS>, or an address"] = ""


@dataclass(frozen=True, slots=True)
class NotificationsConfig:
    """Messages to persons about their keys, refunds and income."""

    dead_after_days: Annotated[int, whole(1, 30), "until a message that is not taken is given up"] = 3


@dataclass(frozen=True, slots=True)
class PlatformTokenConfig:
    """The operator's own token, which `deploy` creates; without a name there is none."""

    name: Annotated[str, "of the token; empty: none is deployed"] = ""
    symbol: Annotated[str, "of the token, such as EXM"] = ""
    supply: Annotated[Amount, "all tokens there will ever be, in whole tokens"] = "10000000000"
    airdrop_percent: Annotated[int, whole(0, 100), "of the supply that waits for airdrops"] = 50
    least_airdrop_percent: Annotated[int, whole(0, 100), "below which the deployment fails"] = 50
    allocation: Annotated[str, readable(read_allocation), "ADDRESS=PERCENT, by commas; the rest: the treasury"] = ""
    contract_uri: Annotated[str, "of the token's ERC-7572 document"] = ""
    score_floor: Annotated[
        str,
        AfterValidator(read_amount_or_zero),
        "total score, in tokens, under which a week's revenue is carried; at deployment",
    ] = "0"
    exit_penalty_percent: Annotated[
        int, whole(0, 50), "lost in an early exit with 52 weeks left: 10 to 50, 0: none; at deployment"
    ] = 0
    fee_to: Annotated[
        Literal["stakers", "treasury", "operator"],
        "who gets fees of services, trades and deals; treasury: the DAO's timelock; operator: `chain.fee_sink`",
    ] = "stakers"
    levels: Annotated[str, "ten SCORE=DISCOUNT:QUOTA by commas, by rising score; empty: none; at deployment"] = ""
    reinvest_router: Annotated[OptionalAddress, "market for revenue, as Uniswap v2's; empty: no reinvesting"] = ""
    reinvest_feed: Annotated[OptionalAddress, "price of a token in the payment token, as Chainlink's feeds"] = ""
    reinvest_slippage_bps: Annotated[int, whole(0, 1_000), "most a purchase may be worse than the price"] = 200
    reinvest_price_minutes: Annotated[int, whole(1, 2_880), "the oldest price that counts"] = 90
    reinvest_test_price: Annotated[
        str, AfterValidator(read_amount_or_zero), "a local chain's, in place of both; 0: none"
    ] = "0"
    airdrops: Annotated[str, readable(read_airdrops), "FILE=CONTRACT, by commas; `airdrop deploy` prints it"] = ""
    deal_fee_bps: Annotated[int, whole(0, 500), "fee on deals, hundredths of a per cent; at deployment"] = 0
    deals: Annotated[str, readable(read_deals), "ids of deals, or issuers, that pages show, by commas; `all`"] = ""


@dataclass(frozen=True, slots=True)
class GovernanceConfig:
    """How stakers decide about the platform; without a quorum floor there is no governor. Most hold at deployment."""

    quorum_floor: Annotated[
        str,
        AfterValidator(read_amount_or_zero),
        "least quorum, and score that opens proposals, in tokens; 0: no governor",
    ] = "0"
    quorum_percent: Annotated[int, whole(1, 50), "of the total score that a quorum is"] = 10
    proposal_threshold: Annotated[Amount, "score that a proposer needs, in tokens"] = "1000"
    voting_delay_hours: Annotated[int, whole(1, 336), "from a proposal to the snapshot of votes"] = 24
    voting_period_days: Annotated[int, whole(1, 28), "that voting lasts"] = 5
    late_quorum_hours: Annotated[int, whole(0, 672), "that voting goes on after a late quorum"] = 48
    timelock_days: Annotated[int, whole(1, 30), "from queueing a proposal to its execution"] = 2
    guardian: Annotated[OptionalAddress, "who may cancel proposals; empty: no one"] = ""
    guardian_until: Annotated[str, AfterValidator(read_day), "when the guardian expires, at most two years ahead"] = ""
    drafts_per_minute: Annotated[int, whole(1, 10_000), "simulated for one network in one replica"] = 30


@dataclass(frozen=True, slots=True)
class MarketsConfig:
    """Market data and ratings over HTTP (`/v2`), from the archive of prices; needs the extra `markets`."""

    api: Annotated[Literal["yes", "no"], "serve `/v2`, and let the worker compute ratings"] = "no"
    calls_per_month: Annotated[int, whole(0, 1_000_000_000), "of a free key; more by staking level"] = 1_000
    calls_per_minute: Annotated[int, whole(0, 1_000_000), "of a free key in one replica; more by level"] = 60
    call_price: Annotated[
        str,
        AfterValidator(read_call_price),
        "of a call without a key, by x402, in whole units of the token; 0: not sold",
    ] = "0.01"
    call_prices: Annotated[str, readable(read_call_prices), "other prices: PATH=PRICE, by commas"] = (
        "/price=0.002, /tokens=0.002, /top-market-cap-tokens=0.002, /ai-reports=0.03, /tmai=0.03"
    )
    pay_to: Annotated[
        OptionalAddress, "gets what calls cost, a payee of the till; empty: the operator's fee account"
    ] = ""
    staker_discount_percent: Annotated[int, whole(0, 50), "most that a payer's staking level takes off a call"] = 10
    indices: Annotated[str, "shipped indices that the worker computes, by spaces; `all`, or `none`"] = "all"
    rulebooks: Annotated[str, "folder of rulebooks of your own, *.toml; empty: none"] = ""
    sources: Annotated[str, "TOML file of the prices and news that the worker fetches by itself; empty: none"] = ""
    coingecko_key: Annotated[Secret, "yours, for `prices fetch coingecko`"] = NO_SECRET
    coingecko_plan: Annotated[Literal["demo", "pro"], "which kind of key it is"] = "demo"
    coinmetrics_key: Annotated[Secret, "yours; empty: the community's data, CC BY-NC 4.0"] = NO_SECRET
    live_venues: Annotated[str, readable(read_venues), "exchanges with live prices: NAME or NAME=URLS, by commas"] = ""
    live_symbols: Annotated[str, "CSV file that says which asset a symbol is, as for `prices fetch`"] = ""
    live_at_par: Annotated[str, "currencies that count as a dollar in live prices, by commas"] = ""
    live_simulated: Annotated[Literal["yes", "no"], "the exchanges' prices are made up, as a sandbox's are"] = "no"
    live_stale_seconds: Annotated[int, whole(5, 3_600), "from this age on, a live price is stale"] = 60
    live_streams: Annotated[int, whole(0, 50_000), "of live prices to clients, in one gateway"] = 500
    live_streams_per_network: Annotated[int, whole(1, 50_000), "of them to one network"] = 10
    writer_url: Annotated[str, "OpenAI-compatible server that words answers and reports; empty: fixed sentences"] = ""
    writer_key: Annotated[Secret, "of that server, such as a key of this gateway with a limit per day"] = NO_SECRET
    writer_model: Annotated[str, "the model that words them"] = ""
    writer_seconds: Annotated[int, whole(1, 600), "for an answer; then fixed sentences are shown"] = 20
    writer_reports: Annotated[int, whole(0, 10_000), "of the largest assets, worded each day by the worker"] = 0


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be configured; made by `load_config`."""

    data: DataConfig = field(default_factory=DataConfig)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    chain: ChainConfig = field(default_factory=ChainConfig)
    ledger: LedgerConfig = field(default_factory=LedgerConfig)
    claims: ClaimsConfig = field(default_factory=ClaimsConfig)
    refunds: RefundsConfig = field(default_factory=RefundsConfig)
    keys: KeysConfig = field(default_factory=KeysConfig)
    relayer: RelayerConfig = field(default_factory=RelayerConfig)
    gateway: GatewayConfig = field(default_factory=GatewayConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    site: SiteConfig = field(default_factory=SiteConfig)
    operator: OperatorConfig = field(default_factory=OperatorConfig)
    mail: MailConfig = field(default_factory=MailConfig)
    notifications: NotificationsConfig = field(default_factory=NotificationsConfig)
    platform_token: PlatformTokenConfig = field(default_factory=PlatformTokenConfig)
    governance: GovernanceConfig = field(default_factory=GovernanceConfig)
    markets: MarketsConfig = field(default_factory=MarketsConfig)

    @property
    def allows_private_servers(self) -> bool:
        """Whether servers that are named in a browser, upstreams and webhooks, may be in private networks."""
        setting = self.operator.private_upstreams
        return is_local(self.chain.id) if setting == "local" else setting == "yes"
