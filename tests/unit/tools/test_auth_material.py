"""What a credential adds to a call, and how secrets are blotted out of what is shown."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.errors import OutboundRefused
from agent_builder.tools.auth.consent import consent_address
from agent_builder.tools.auth.masking import MASK, Masker, masked
from agent_builder.tools.auth.material import Material, material_of

URL = "https://api.example.com/a%2Fb?q=1&key=theirs"
OAUTH = {"token_header": "Authorization", "token_prefix": "Bearer", "expired_statuses": [401, 403], "expired_texts": []}


def api_key(place: str, prefix: str = "", name: str = "key") -> Material:
    return material_of("api_key", {"in": place, "name": name, "prefix": prefix}, {"value": "s3cret"})


def test_a_header() -> None:
    made = api_key("header", "Key ", "X-Api-Key")
    assert made.applied(URL, (("x-api-key", "theirs"), ("A", "b"))) == (URL, (("A", "b"), ("X-Api-Key", "Key s3cret")))


def test_a_parameter_of_the_query_replaces_the_call_s_own() -> None:
    made = material_of("api_key", {"in": "query", "name": "key", "prefix": ""}, {"value": "a b&c=é"})
    url, headers = made.applied(URL, ())
    assert url == "https://api.example.com/a%2Fb?q=1&key=a%20b%26c%3D%C3%A9"
    assert headers == ()
    assert made.applied("https://api.example.com/", ())[0] == "https://api.example.com/?key=a%20b%26c%3D%C3%A9"
    written = "https://api.example.com/?a=1%2C2&filter[x]=%20+&k%65y=theirs&b"
    assert api_key("query").applied(written, ())[0] == "https://api.example.com/?a=1%2C2&filter[x]=%20+&b&key=s3cret"


def test_a_cookie_stands_beside_the_call_s_own() -> None:
    url, headers = api_key("cookie").applied(URL, (("Cookie", "a=1; key=theirs"), ("cookie", "b=2")))
    assert (url, headers) == (URL, (("Cookie", "a=1; b=2; key=s3cret"),))
    odd = material_of("api_key", {"in": "cookie", "name": "k", "prefix": ""}, {"value": 'a;b ,"c'})
    assert odd.applied(URL, ())[1] == (("Cookie", "k=a%3Bb%20%2C%22c"),)


def test_bearer_and_basic_and_headers() -> None:
    assert material_of("bearer", {}, {"value": "t"}).headers == (("Authorization", "Bearer t"),)
    made = material_of("basic", {}, {"username": "ann", "password": "pä:ss"})
    assert made.headers == (("Authorization", f"Basic {base64.b64encode('ann:pä:ss'.encode()).decode()}"),)
    assert "pä:ss" in made.secrets
    many = material_of("custom_headers", {}, {"headers": {"X-A": "1", "X-B": "2"}})
    assert many.applied(URL, (("x-b", "3"),))[1] == (("X-A", "1"), ("X-B", "2"))


def test_a_token() -> None:
    assert material_of("oauth2", OAUTH, {}, access_token="t").headers == (("Authorization", "Bearer t"),)
    bare = {**OAUTH, "token_header": "X-Token", "token_prefix": ""}
    assert material_of("oauth2", bare, {}, access_token="t").headers == (("X-Token", "t"),)
    with pytest.raises(ValueError, match="not for calls"):
        material_of("provider_key", {}, {"value": "x"})


def test_only_its_own_hosts() -> None:
    made = Material(headers=(("A", "s3cret"),), allowed_hosts=("api.example.com", "*.example.org"))
    for url in (URL, "https://API.example.com./", "https://a.b.example.org/"):
        assert made.applied(url, ())[1]
    for url in (
        "https://example.com/",
        "https://example.org/",
        "https://api.example.com.evil.test/",
        "https://8.8.8.8/",
    ):
        with pytest.raises(OutboundRefused):
            made.applied(url, ())


def test_signs_that_it_is_over() -> None:
    made = material_of("oauth2", {**OAUTH, "expired_texts": ['"code":*1001', "Token Expired"]}, {}, access_token="t")
    assert made.is_over(401, b"") and made.is_over(403, b"")
    assert made.is_over(200, b'{"ok": false, "code": "E1001"}')
    assert made.is_over(200, b"<b>token expired</b>")
    assert not made.is_over(200, b'{"number": 1001, "code": 7}')
    assert not made.is_over(500, b"\xff\xfe")
    slow = material_of("oauth2", {**OAUTH, "expired_texts": ["a*" * 99 + "b"]}, {}, access_token="t")
    assert not slow.is_over(200, b"a" * 60_000)


def test_nothing_is_shown_by_accident() -> None:
    for made in (
        api_key("header"),
        api_key("query"),
        api_key("cookie"),
        material_of("bearer", {}, {"value": "s3cret"}),
    ):
        assert "s3cret" not in repr(made)
        assert "s3cret" not in repr(made.masked().applied(URL, ()))
        assert MASK in repr(made.masked().applied(URL, ()))


@pytest.mark.parametrize("secret", ["s3cret-+/=é", 'quo"te\\d\n', "with space&more", "x" * 40])
def test_a_secret_is_blotted_out_in_every_form(secret: str) -> None:
    coded = base64.b64encode(f"user:{secret}".encode()).decode()
    shown = [secret, json.dumps({"k": secret}), json.dumps({"k": secret}, ensure_ascii=False), quote(secret, safe="")]
    shown += [quote_plus(secret), quote(secret), base64.b64encode(secret.encode()).decode(), f"Basic {coded}"]
    shown += [base64.urlsafe_b64encode(secret.encode()).decode(), secret.encode().hex(), html.escape(secret)]
    shown += [quote(secret, safe="").lower(), json.dumps(secret).replace("/", "\\/")]
    for text in shown:
        result = masked(f"before {text} after", [secret])
        assert MASK in result
        assert text not in result
        assert result.startswith("before ") and result.endswith(" after")


def spellings(secret: str) -> list[str]:
    coded = "".join(f"%{byte:02x}" for byte in secret.encode())
    units = secret.encode("utf-16-be")
    json_like = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    mixed = f"%{ord(secret[0]):02X}" + secret[1:2] + f"\\u{ord(secret[2]):04X}&#{ord(secret[3])};{secret[4:]}"
    return [coded, coded.upper(), json_like, "".join(f"&#x{ord(one):X};" for one in secret), mixed]


@pytest.mark.parametrize("secret", ["s3cret-+/=", "plainkey1", 'ab c"d\\e', "s3cret\U0001f511é"])
def test_a_secret_is_found_where_characters_are_escaped_that_need_not_be(secret: str) -> None:
    for written in spellings(secret):
        assert (
            masked(f"100% before {written} after \\u00e9 &amp;", [secret]) == f"100% before {MASK} after \\u00e9 &amp;"
        )
        shown = Masker([secret]).value({"a": [f"x{written}y"], written: 1, "b": "100%"})
        assert shown == {"a": [f"x{MASK}y"], MASK: 1, "b": "100%"}


def test_a_long_one_as_well() -> None:
    secret = "long" * 200
    assert masked(f"a %6c{secret[1:]} b", [secret]) == f"a {MASK} b"


def test_other_escapes_stay_as_they_are() -> None:
    text = "%zz 100% \\u00zz &#x; &#99999999; \\ud800 %73ecre %f0%9f"
    assert masked(text, ["s3cret-long"]) == text
    assert Masker(["s3cret-long"]).value({"a": text}) == {"a": text}


@given(st.binary(max_size=5), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=9, max_size=30))
def test_in_the_midst_of_base64(before: bytes, secret: str) -> None:
    coded = base64.b64encode(before + secret.encode() + b"after it").decode()
    assert MASK in masked(coded, [secret])


def test_short_secrets_are_left_alone() -> None:
    assert masked("a bc def", ["a", "bc", "def", ""]) == "a bc def"


def test_the_address_of_consent() -> None:
    settings: dict[str, Any] = {
        "authorization_url": "https://id.example.com/authorize?tenant=1",
        "authorization_parameters": {"prompt": "consent"},
        "client_id": "c d",
        "scopes": ["read", "write"],
    }
    address = consent_address(settings, redirect_uri="https://a.test/back", state="st", verifier="v" * 43)
    parts = urlsplit(address)
    assert (parts.netloc, parts.path) == ("id.example.com", "/authorize")
    fields = dict(parse_qsl(parts.query))
    hashed = hashlib.sha256(b"v" * 43).digest()
    assert base64.urlsafe_b64decode(fields.pop("code_challenge") + "=") == hashed
    assert fields == {
        "tenant": "1",
        "prompt": "consent",
        "response_type": "code",
        "client_id": "c d",
        "redirect_uri": "https://a.test/back",
        "state": "st",
        "code_challenge_method": "S256",
        "scope": "read write",
    }
