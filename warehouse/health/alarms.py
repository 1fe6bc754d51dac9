"""This module tells a webhook what is wrong.

The webhook's address may hold a secret in its path: of it only the host is ever said.
"""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

WEBHOOK = "UNDERTOW_WEBHOOK"  # environment variable that holds its address
PATIENCE = 10.0  # s


class AlarmError(OSError):
    """A webhook could not be told; the message is one line and names its host only."""


class _Refuse(HTTPRedirectHandler):
    """What a webhook is told goes nowhere else."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing; the answer is an error then."""


def post_alarm(url: str, alarm: Mapping[str, Any], patience: float = PATIENCE) -> None:
    """Post ``alarm`` as JSON.

    Parameters
    ----------
    url
        Address of the webhook, ``http`` or ``https``.
    alarm
        What JSON can hold.
    patience
        How long its host may be silent, seconds.

    Raises
    ------
    AlarmError
        If the address is none, or its host does not answer, or not with success.
    """
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname, parts.scheme
    except ValueError:
        host, scheme = None, ""
    if scheme not in {"http", "https"} or not host:
        raise AlarmError(f"webhook: {WEBHOOK} must be an http(s) address")
    body = json.dumps(alarm).encode()
    try:
        request = Request(url, body, {"Content-Type": "application/json"})
        build_opener(_Refuse).open(request, timeout=patience).close()
    except HTTPError as error:
        error.close()
        raise AlarmError(f"webhook {host}: answered with status {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        # What they say may hold the address; their names do not.
        reason = getattr(error, "reason", error)
        raise AlarmError(f"webhook {host}: {type(reason).__name__}") from None
