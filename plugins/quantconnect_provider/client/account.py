"""One account of QuantConnect's API: who asks, where, and how fast. Checked before anything is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from quantconnect_provider.client.errors import InvalidSettingError

DEFAULT_BASE_URL = "https://www.quantconnect.com/api/v2"
DEFAULT_TIMEOUT_SECONDS = 30.0
_ORGANIZATION_ID = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)


@dataclass(frozen=True)
class Account:
    """Settings of one account; an object of this class has been checked.

    :param user_id: the account's user id, digits only.
    :param api_token: the account's API token.
    :param base_url: scheme, host and path.
    :param requests_per_minute: the rate to stay below; None: no limit until the API asks for one.
    :param timeout_seconds: how long one request may take; slow endpoints get a multiple of it.
    :param organization_id: 32 hexadecimal digits; limits project listings to one organization.
    :raises InvalidSettingError: naming the setting and how to correct it; never showing the token.
    """

    user_id: str
    api_token: str = field(repr=False)
    base_url: str = DEFAULT_BASE_URL
    requests_per_minute: float | None = None
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    organization_id: str | None = None

    def __post_init__(self) -> None:
        checked = {
            "user_id": _user_id(self.user_id),
            "api_token": _api_token(self.api_token),
            "base_url": _base_url(self.base_url),
            "requests_per_minute": _positive("requests_per_minute", self.requests_per_minute),
            "timeout_seconds": _positive("timeout_seconds", self.timeout_seconds) or DEFAULT_TIMEOUT_SECONDS,
            "organization_id": _organization_id(self.organization_id),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)


def _user_id(text: str) -> str:
    if not text.strip():
        raise InvalidSettingError(
            "The login of the QuantConnect connection is empty.",
            advice="Set it to your user id, a number shown on quantconnect.com/account.",
        )
    if not text.isascii() or not text.isdigit():
        raise InvalidSettingError(
            f"The login of the QuantConnect connection is {text!r}, not a whole number.",
            advice="Set it to your user id (digits only, no spaces), not to your e-mail address.",
        )
    return text


def _api_token(api_token: str) -> str:
    if not api_token:
        raise InvalidSettingError(
            "The password of the QuantConnect connection is empty.",
            advice="Set it to your API token (quantconnect.com/account, 'Request Email with Token').",
        )
    if any(character.isspace() for character in api_token):
        raise InvalidSettingError(
            "The password of the QuantConnect connection (the API token) contains spaces or line breaks.",
            advice="Copy the token again, without anything around it.",
        )
    return api_token


def _base_url(base_url: str) -> str:
    shown = repr(re.sub(r".*@", "***@", base_url, flags=re.DOTALL))  # somebody may have put a password there
    if re.search(r"[\s\\\x00-\x1f\x7f]", base_url):
        raise InvalidSettingError(
            f"The host of the QuantConnect connection is {shown}, with a line break, space or backslash.",
            advice=f"Write only the address, e.g. {DEFAULT_BASE_URL}.",
        )
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidSettingError(
            f"The host of the QuantConnect connection is {shown}, without http:// or https://.",
            advice=f"Write the whole address, e.g. {DEFAULT_BASE_URL}.",
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InvalidSettingError(
            "The host of the QuantConnect connection holds more than scheme, host and path.",
            advice=f"Write only the address, e.g. {DEFAULT_BASE_URL}; credentials go to login and password.",
        )
    if parts.scheme == "http" and not _is_near(parts.hostname or ""):
        raise InvalidSettingError(
            f"The host of the QuantConnect connection is {shown}: without TLS the signature and the "
            "brokerage's passwords could be read on the way.",
            advice="Write https://. http:// is for a sandbox on this machine or in a container beside it.",
        )
    return base_url.rstrip("/")


def _is_near(host: str) -> bool:
    """Whether a host is this machine, or a container beside it: such a name has no dot."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        # A number without dots is an IP address, too: 2852039166 is 169.254.169.254.
        return host.endswith(".localhost") or ("." not in host and host[:1].isalpha())


def _positive(name: str, value: float | str | None) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < float("inf"):
        raise InvalidSettingError(
            f"{name} is {value!r}, not a number above 0.", advice="Correct it in the connection's extra."
        )
    return number


def _organization_id(value: str | None) -> str | None:
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not _ORGANIZATION_ID.fullmatch(value.strip()):
        raise InvalidSettingError(
            f"organization_id {value!r} is not an organization id.",
            advice="Use the 32 hexadecimal digits in the organization's URL, or leave it empty.",
        )
    return value.strip()
