"""Tokens against a real server of keys: each bad one is refused alike and without a fetch that it asks for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from jwt.algorithms import RSAAlgorithm

from agent_builder.errors import ConfigurationError, Unauthenticated
from agent_builder.issuer import IssuerKeys, published_keys
from agent_builder.tokens import MAX_LIFETIME_SECONDS, MAX_TOKEN, REFUSED, TokenVerifier
from tests.issuer import (
    ATTACKER_KEY,
    AUDIENCE,
    EC_KEY,
    ED_KEY,
    PUBLISHED,
    RSA_KEY,
    SMALL_RSA_KEY,
    Issuer,
    claims,
    jwk,
    signed,
)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    return TokenVerifier(issuer.url, AUDIENCE)


def raw(header: str | dict[str, Any], payload: str | dict[str, Any], key: Any = RSA_KEY) -> str:
    """A token signed over exactly these texts (RS256)."""
    parts = [part if isinstance(part, str) else json.dumps(part) for part in (header, payload)]
    text = ".".join(encoded(part.encode()) for part in parts)
    algorithm = RSAAlgorithm(RSAAlgorithm.SHA256)
    return f"{text}.{encoded(algorithm.sign(text.encode(), key))}"


def resigned(issuer: Issuer, spell: Callable[[str], str], **changes: Any) -> str:
    """A token whose content is spelled differently in base64, signed as it is spelled."""
    content = encoded(json.dumps(claims(issuer, **changes), ensure_ascii=False).encode())
    assert spell(content) != content
    text = f"{encoded(json.dumps(HEADER).encode())}.{spell(content)}"
    algorithm = RSAAlgorithm(RSAAlgorithm.SHA256)
    return f"{text}.{encoded(algorithm.sign(text.encode(), RSA_KEY))}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def hmac_with_public_key(issuer: Issuer) -> str:
    pem = RSA_KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "rsa"}, claims(issuer)))
    return f"{text}.{encoded(hmac.new(pem, text.encode(), hashlib.sha256).digest())}"


def unsigned(issuer: Issuer, alg: str = "none") -> str:
    return f"{encoded(json.dumps({'alg': alg, 'kid': 'rsa'}).encode())}.{encoded(json.dumps(claims(issuer)).encode())}."


def with_text(issuer: Issuer, pattern: str, by: str) -> str:
    """A token whose content had a part replaced before it was signed."""
    text, count = re.subn(pattern, by, json.dumps(claims(issuer)))
    assert count == 1
    return raw({"alg": "RS256", "kid": "rsa"}, text)


def at(seconds: float) -> float:
    """So many seconds from now."""
    return int(time.time()) + seconds


END = r'"exp": \d+'
HEADER = {"alg": "RS256", "kid": "rsa"}

# Made with the attacker's own key and a header that says where to find it, or with a good key and bad content.
BAD: dict[str, Callable[[Issuer], str]] = {
    "none": unsigned,
    "none in capitals": lambda i: unsigned(i, "NONE"),
    "no signature": lambda i: signed(i).rpartition(".")[0] + ".",
    "HMAC with the public key": hmac_with_public_key,
    "HMAC with a published secret": lambda i: signed(i, b"s" * 32, "HS256", {"kid": "oct"}),
    "jku": lambda i: signed(i, ATTACKER_KEY, header={"jku": f"{i.url}/evil"}),
    "jku on a good signature": lambda i: signed(i, header={"jku": f"{i.url}/evil"}),
    "x5u": lambda i: signed(i, ATTACKER_KEY, header={"x5u": f"{i.url}/evil"}),
    "x5c": lambda i: signed(i, ATTACKER_KEY, header={"x5c": ["MIIB"]}),
    "jwk": lambda i: signed(i, ATTACKER_KEY, header={"jwk": jwk(ATTACKER_KEY.public_key())}),
    "crit": lambda i: signed(i, header={"crit": ["b64"], "b64": True}),
    "kid of nobody": lambda i: signed(i, ATTACKER_KEY, header={"kid": "nobody"}),
    "kid like a path": lambda i: signed(i, ATTACKER_KEY, header={"kid": "../../evil"}),
    "kid like an address": lambda i: signed(i, ATTACKER_KEY, header={"kid": f"{i.url}/evil"}),
    "kid like SQL": lambda i: signed(i, ATTACKER_KEY, header={"kid": "' OR 1=1 --"}),
    "kid no text": lambda i: raw({"alg": "RS256", "kid": ["rsa"]}, claims(i)),
    "no kid among many keys": lambda i: raw({"alg": "RS256"}, claims(i)),
    "key for encryption": lambda i: signed(i, ATTACKER_KEY, header={"kid": "encryption"}),
    "key too small": lambda i: raw({"alg": "RS256", "kid": "small"}, claims(i), SMALL_RSA_KEY),
    "key that is broken": lambda i: signed(i, ATTACKER_KEY, header={"kid": "broken"}),
    "other algorithm than the key's": lambda i: signed(i, RSA_KEY, "PS256"),
    "algorithm of another key": lambda i: signed(i, EC_KEY, "ES256"),
    "padded signature": lambda i: signed(i) + "==",
    "padded content": lambda i: resigned(i, lambda part: part + "=" * (-len(part) % 4 or 4)),
    "content in standard base64": lambda i: resigned(
        i, lambda part: part.replace("-", "+").replace("_", "/"), sub="ÿ" * 6
    ),
    "spare bits set": lambda i: signed(i)[:-1] + chr(ord(signed(i)[-1]) + 1),
    "another's signature": lambda i: signed(i, ATTACKER_KEY),
    "changed content": lambda i: ".".join(
        [signed(i).split(".")[0], encoded(json.dumps(claims(i, sub="eve")).encode()), signed(i).split(".")[2]]
    ),
    "logout token": lambda i: signed(i, header={"typ": "logout+jwt"}),
    "expired": lambda i: signed(i, iat=at(-900), exp=at(-60)),
    "not yet valid": lambda i: signed(i, nbf=at(600)),
    "issued in the future": lambda i: signed(i, iat=at(300), exp=at(600)),
    "wrong audience": lambda i: signed(i, aud="another"),
    "wrong audience, right client": lambda i: signed(i, aud="another", client_id=AUDIENCE),
    "audience in part": lambda i: signed(i, aud=["consol", "console2"]),
    "no audience": lambda i: signed(i, aud=None),
    "wrong client": lambda i: signed(i, aud=None, client_id="another"),
    "wrong issuer": lambda i: signed(i, iss="https://evil.example"),
    "issuer in part": lambda i: signed(i, iss=i.url + "/"),
    "no issuer": lambda i: signed(i, iss=None),
    "no subject": lambda i: signed(i, sub=None),
    "empty subject": lambda i: signed(i, sub=""),
    "endless subject": lambda i: signed(i, sub="a" * 300),
    "subject with a line break": lambda i: signed(i, sub="ada\nroot"),
    "subject no text": lambda i: raw(HEADER, claims(i, sub=7)),
    "no end": lambda i: signed(i, exp=None),
    "no beginning": lambda i: signed(i, iat=None),
    "end far away": lambda i: signed(i, exp=at(MAX_LIFETIME_SECONDS + 600)),
    "end at no time": lambda i: with_text(i, END, '"exp": ' + "Infinity"),
    "end not a number": lambda i: with_text(i, END, '"exp": ' + "NaN"),
    "end as text": lambda i: raw(HEADER, claims(i, exp=str(at(600)))),
    "end as truth": lambda i: raw(HEADER, claims(i, exp=True)),
    "end as huge number": lambda i: with_text(i, END, '"exp": ' + "9" * 400),
    "beginning as text": lambda i: raw(HEADER, claims(i, nbf="0")),
    "doubled claim": lambda i: with_text(i, '"sub": "ada"', '"sub": "ada", "sub": "eve"'),
    "doubled header": lambda i: raw('{"alg": "RS256", "kid": "rsa", "kid": "rsa"}', claims(i)),
    "deeply nested": lambda i: raw(HEADER, '{"a":' * 100 + "1" + "}" * 100),
    "a list": lambda i: raw(HEADER, "[]"),
    "not UTF-8": lambda i: signed(i).split(".")[0] + "." + encoded(b"\xff\xfe") + ".c2ln",
    "oversized": lambda i: signed(i, more="m" * MAX_TOKEN),
    "two parts": lambda i: "a.b",
    "five parts": lambda i: "a.b.c.d.e",
    "garbage": lambda i: "\x00\x01é" * 20,
    "dots": lambda i: "..",
    "empty": lambda i: "",
    "not base64": lambda i: "!!.??.**",
}


@pytest.mark.parametrize("name", BAD)
def test_bad_token_is_refused_alike_and_fetches_nothing_it_names(
    name: str, issuer: Issuer, verifier: TokenVerifier
) -> None:
    verifier.verify(signed(issuer))
    known = list(issuer.asked)
    with pytest.raises(Unauthenticated) as refusal:
        verifier.verify(BAD[name](issuer))
    assert refusal.value.detail == REFUSED
    assert issuer.asked == known == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize(
    ("kid", "key", "alg"), [("rsa", RSA_KEY, "RS256"), ("ec", EC_KEY, "ES256"), ("ed", ED_KEY, "EdDSA")]
)
def test_token_of_each_kind_of_key(kid: str, key: Any, alg: str, issuer: Issuer, verifier: TokenVerifier) -> None:
    found = verifier.verify(signed(issuer, key, alg, {"kid": kid}, tenant="acme"))
    assert (found.issuer, found.subject, found.text("tenant")) == (issuer.url, "ada", "acme")
    assert found.text("") == found.text("absent") == found.text("exp") == ""


@pytest.mark.parametrize(
    "changes",
    [{"aud": ["other", AUDIENCE]}, {"aud": None, "client_id": AUDIENCE}, {"exp": 0.5}, {"exp": -5}],
)
def test_token_that_is_good_enough(changes: dict[str, Any], issuer: Issuer, verifier: TokenVerifier) -> None:
    """The clocks of two machines may differ by half a minute."""
    end = at(changes.get("exp", 600))
    assert verifier.verify(raw(HEADER, claims(issuer, **{**changes, "iat": at(-60), "exp": end}))).subject == "ada"


def test_single_key_needs_no_name(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.publish([jwk(RSA_KEY.public_key())])
    assert verifier.verify(raw({"alg": "RS256"}, claims(issuer))).subject == "ada"


# ---------------------------------------------------------------- fetching keys


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_keys_are_fetched_once_and_again_for_new_names_at_most_once_a_minute(issuer: Issuer) -> None:
    clock = Clock()
    keys = IssuerKeys(issuer.url, clock=clock)
    for _ in range(50):
        assert keys.find("rsa")
        assert keys.find("made up") is None
    assert issuer.asked.count("/keys") == 1
    clock.now += 61
    issuer.publish([jwk(RSA_KEY.public_key(), kid="next")])
    assert keys.find("next")
    assert keys.find("rsa") is None
    for number in range(50):
        keys.find(f"made up {number}")
    assert issuer.asked.count("/keys") == 2


def test_keys_are_kept_ten_minutes_and_an_hour_where_the_issuer_is_silent(issuer: Issuer) -> None:
    clock = Clock()
    keys = IssuerKeys(issuer.url, clock=clock)
    assert keys.find("rsa")
    clock.now += 601
    assert keys.find("rsa")
    assert issuer.asked.count("/keys") == 2
    del issuer.answers["/keys"]
    clock.now += 601
    for _ in range(50):
        assert keys.find("rsa")
    assert issuer.asked.count("/keys") == 3
    clock.now += 3600
    assert keys.find("rsa") is None


def refused(issuer: Issuer, keys: IssuerKeys | None = None) -> list[str]:
    verifier = TokenVerifier(issuer.url, AUDIENCE, keys=keys)
    for _ in range(3):
        with pytest.raises(Unauthenticated, match=REFUSED):
            verifier.verify(signed(issuer))
    return issuer.asked


def test_issuer_that_cannot_be_reached_refuses(issuer: Issuer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with pytest.raises(Unauthenticated, match=REFUSED):
        TokenVerifier(url, AUDIENCE).verify(signed(issuer, iss=url))


@pytest.mark.parametrize("status", [500, 404, 301, 302, 307])
def test_errors_and_redirects_are_not_followed(status: int, issuer: Issuer) -> None:
    issuer.answers["/elsewhere"] = issuer.answers["/keys"]
    issuer.answers["/keys"] = (status, b"", {"Location": f"{issuer.url}/elsewhere"})
    assert refused(issuer) == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b"null", b'{"keys": 1}', b'{"keys": []}', b'{"keys": [1]}', b"\xff", b" " * 300_000 + b'{"keys": []}'],
)
def test_documents_that_are_not_keys_refuse(document: bytes, issuer: Issuer) -> None:
    issuer.answers["/keys"] = (200, document, {})
    refused(issuer)


@pytest.mark.parametrize("url", ["http://keys.example/keys", "file:///etc/passwd", "ftp://127.0.0.1/", "", "http://["])
def test_discovery_cannot_lead_elsewhere(url: str, issuer: Issuer) -> None:
    issuer.publish(PUBLISHED, jwks_uri=url)
    assert refused(issuer) == ["/.well-known/openid-configuration"]


def test_discovery_of_another_issuer_refuses(issuer: Issuer) -> None:
    issuer.publish(PUBLISHED, issuer="https://another.example")
    assert refused(issuer) == ["/.well-known/openid-configuration"]


def test_issuer_that_drips_is_cut_off(issuer: Issuer) -> None:
    issuer.drip = True
    keys = IssuerKeys(issuer.url, fetch=partial(published_keys, seconds=0.3))
    assert keys.find("rsa") is None
    assert issuer.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize(
    "issuer_url",
    [
        "http://issuer.example",
        "",
        "issuer.example",
        "https://",
        "https://u@x.example",
        "https://x.example?a=b",
        "http://[",
    ],
)
def test_issuer_must_be_https(issuer_url: str) -> None:
    with pytest.raises(ConfigurationError):
        TokenVerifier(issuer_url, AUDIENCE)
