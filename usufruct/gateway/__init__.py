"""The metered gateway: OpenAI's endpoints, paid by bearer keys or x402, each call charged once and receipted."""

from usufruct.gateway.api import gateway_routes
from usufruct.gateway.call_limits import CallLimits
from usufruct.gateway.catalogue import Catalogue
from usufruct.gateway.configurations.model import FollowedConfiguration
from usufruct.gateway.configurations.service import FollowedConfigurations
from usufruct.gateway.errors import InvalidRequest
from usufruct.gateway.income import Income, read_income
from usufruct.gateway.jobs import UNUSED_SECONDS, UnusedKeys
from usufruct.gateway.model import CountingRule, Endpoint, ServedListing, Upstream
from usufruct.gateway.new_listings import check_name_free, plain_listing, registered_listing
from usufruct.gateway.operator_profile import Operator
from usufruct.gateway.pages import gateway_pages
from usufruct.gateway.payers.bearer_key import BearerKeyPayments
from usufruct.gateway.payers.key_channels import KeyChannels
from usufruct.gateway.payers.methods import PaymentMethods
from usufruct.gateway.probe import Probe, Speed, fetch_vocabulary
from usufruct.gateway.quality.service import ServiceQuality
from usufruct.gateway.quality.summary import LEAST_SAMPLE
from usufruct.gateway.quality.tally import EVERY_SERVICE, CallCounts
from usufruct.gateway.samples.service import FreeSamples
from usufruct.gateway.service import Gateway

__all__ = [
    "EVERY_SERVICE",
    "LEAST_SAMPLE",
    "UNUSED_SECONDS",
    "BearerKeyPayments",
    "CallCounts",
    "CallLimits",
    "Catalogue",
    "CountingRule",
    "Endpoint",
    "FollowedConfiguration",
    "FollowedConfigurations",
    "FreeSamples",
    "Gateway",
    "Income",
    "InvalidRequest",
    "KeyChannels",
    "Operator",
    "PaymentMethods",
    "Probe",
    "ServedListing",
    "ServiceQuality",
    "Speed",
    "UnusedKeys",
    "Upstream",
    "check_name_free",
    "fetch_vocabulary",
    "gateway_pages",
    "gateway_routes",
    "plain_listing",
    "read_income",
    "registered_listing",
]
