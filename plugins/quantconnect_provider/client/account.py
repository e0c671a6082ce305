"""Checks an account's settings before anything is sent, so that a slip is named and not guessed at."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from quantconnect_provider.client.errors import InvalidSettingError

DEFAULT_BASE_URL = "https://www.quantconnect.com/api/v2"


@dataclass(frozen=True)
class Account:
    """Checked settings of one account."""

    user_id: str
    api_token: str = field(repr=False)
    base_url: str
    requests_per_minute: float | None
    timeout_seconds: float


def check_account(
    user_id: int | str,
    api_token: str,
    base_url: str,
    requests_per_minute: float | None,
    timeout_seconds: float,
) -> Account:
    """Return the settings, checked.

    :raises InvalidSettingError: naming the setting and how to mend it; never showing the token.
    """
    return Account(
        user_id=_user_id(user_id),
        api_token=_api_token(api_token),
        base_url=_base_url(base_url),
        requests_per_minute=_positive("requests_per_minute", requests_per_minute),
        timeout_seconds=_positive("timeout_seconds", timeout_seconds) or 30.0,
    )


def _user_id(user_id: int | str) -> str:
    text = str(user_id if user_id is not None else "")
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
    if api_token != api_token.strip() or any(character.isspace() for character in api_token):
        raise InvalidSettingError(
            "The password of the QuantConnect connection (the API token) contains spaces or line breaks.",
            advice="Copy the token again, without anything around it.",
        )
    return api_token


def _base_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidSettingError(
            f"The host of the QuantConnect connection is {base_url!r}, without http:// or https://.",
            advice=f"Write the whole address, e.g. {DEFAULT_BASE_URL}.",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidSettingError(
            "The host of the QuantConnect connection holds more than scheme, host and path.",
            advice=f"Write only the address, e.g. {DEFAULT_BASE_URL}; credentials go to login and password.",
        )
    return base_url.rstrip("/")


def _positive(name: str, value: float | str | None) -> float | None:
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number < float("inf"):
        raise InvalidSettingError(
            f"{name} is {value!r}, not a number above 0.", advice="Mend it in the connection's extra."
        )
    return number
