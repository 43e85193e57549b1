"""The address where a person consents. REST uses it too, so nothing heavy is imported here."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit


def consent_address(settings: Mapping[str, Any], *, redirect_uri: str, state: str, verifier: str) -> str:
    """Where a person consents: the authorization endpoint with PKCE (S256)."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    fields = {
        **settings["authorization_parameters"],
        "response_type": "code",
        "client_id": settings["client_id"],
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    if settings["scopes"]:
        fields["scope"] = " ".join(settings["scopes"])
    parts = urlsplit(settings["authorization_url"])
    address: str = urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, urlencode(fields)]))))
    return address
