"""What may go wrong between us and a vendor of data."""

from usufruct.core import Denied, Invalid, NotFound, Unavailable


class InvalidIds(Invalid, code="invalid_vendor_ids"):
    """The table from a vendor's ids to ours cannot be right."""


class UnknownToVendor(NotFound, code="unknown_to_vendor"):
    """An asset that the vendor does not have."""


class VendorRefused(Denied, code="vendor_refused"):
    """The vendor refuses: no key, a wrong one, or one whose plan does not cover what is asked for."""


class VendorUnavailable(Unavailable, code="vendor_unavailable"):
    """The vendor does not answer, or answers that it cannot serve now."""


class VendorRateLimited(VendorUnavailable, code="vendor_rate_limited"):
    """The vendor wants fewer requests."""


class VendorUnreadable(VendorUnavailable, code="vendor_unreadable"):
    """The vendor's answer is not what its documentation says."""
