"""The configuration: one frozen, typed object from a TOML file and the environment, and the only reader of both.

The key `url` of the section `[database]` is `database.url` in messages and `USUFRUCT_DATABASE_URL` in the environment,
which wins over the file. `USUFRUCT_CONFIG` names the file; without it `usufruct/config.toml` in the user's folder of
configurations is read, where `usufruct init` writes it. Without a file everything fits a devnet on this machine.
`USUFRUCT_TEST_*` belongs to the test suite and is ignored. A setting's type, bounds and meaning are beside its default.
"""

from usufruct.config.files import (
    check_operator,
    config_file,
    load_config,
    process_environment,
    setting_meanings,
    show_config,
    user_folders,
    write_settings,
)
from usufruct.config.sections import (
    ChainConfig,
    ClaimsConfig,
    Config,
    DatabaseConfig,
    DataConfig,
    GatewayConfig,
    GovernanceConfig,
    KeysConfig,
    LedgerConfig,
    MailConfig,
    MarketsConfig,
    MetricsConfig,
    NotificationsConfig,
    OperatorConfig,
    PlatformTokenConfig,
    RefundsConfig,
    RelayerConfig,
    SiteConfig,
)
from usufruct.config.values import LOGO_TYPES, InvalidSetting, Secret, UnknownSetting

__all__ = [
    "LOGO_TYPES",
    "ChainConfig",
    "ClaimsConfig",
    "Config",
    "DataConfig",
    "DatabaseConfig",
    "GatewayConfig",
    "GovernanceConfig",
    "InvalidSetting",
    "KeysConfig",
    "LedgerConfig",
    "MailConfig",
    "MarketsConfig",
    "MetricsConfig",
    "NotificationsConfig",
    "OperatorConfig",
    "PlatformTokenConfig",
    "RefundsConfig",
    "RelayerConfig",
    "Secret",
    "SiteConfig",
    "UnknownSetting",
    "check_operator",
    "config_file",
    "load_config",
    "process_environment",
    "setting_meanings",
    "show_config",
    "user_folders",
    "write_settings",
]
