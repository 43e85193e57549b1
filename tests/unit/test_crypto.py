"""Envelopes open at their own place and nowhere else: with a key file, and with KMS (moto)."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aws_encryption_sdk import Algorithm, CommitmentPolicy, EncryptionSDKClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from agent_builder import aws
from agent_builder.crypto import Envelopes, master_keys
from agent_builder.errors import ConfigurationError, SecretsUnavailable, SecretUnreadable
from agent_builder.models.places import Place

ARN = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
PLACE = Place("acme", "crd_1", "secret")
ELSEWHERE = [Place("other", "crd_1", "secret"), Place("acme", "crd_2", "secret"), Place("acme", "crd_1", "token")]


class Keys:
    """Makes keys of one kind."""

    def __init__(self, folder: Path, kms: Any = None) -> None:
        self.folder = folder
        self.kms = kms

    def new(self) -> str:
        if self.kms:
            return str(self.kms.create_key()["KeyMetadata"]["Arn"])
        path = self.folder / secrets.token_hex(4)
        path.write_bytes(secrets.token_bytes(32))
        return str(path)

    def envelopes(self, *names: str) -> Envelopes:
        return Envelopes(master_keys(names, lambda: self.kms))


@pytest.fixture(params=["file", "kms"])
def keys(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    if request.param == "file":
        yield Keys(tmp_path)
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield Keys(tmp_path, aws.client("kms"))


def test_opens_where_it_was_sealed(keys: Keys) -> None:
    envelopes = keys.envelopes(keys.new())
    for plain in (b"", b"s3cret", secrets.token_bytes(100_000)):
        sealed = envelopes.seal(plain, PLACE)
        assert envelopes.open(sealed, PLACE) == plain
        assert not plain or plain not in sealed


@pytest.mark.parametrize("place", ELSEWHERE, ids=["tenant", "credential", "purpose"])
def test_opens_nowhere_else(keys: Keys, place: Place) -> None:
    envelopes = keys.envelopes(keys.new())
    with pytest.raises(SecretUnreadable):
        envelopes.open(envelopes.seal(b"s3cret", PLACE), place)


@pytest.mark.parametrize("extra", [{"more": "x"}, {"tenant": "other"}, {"purpose": "token"}])
def test_the_binding_cannot_be_rewritten(keys: Keys, extra: dict[str, str]) -> None:
    """What the SDK would open, because it holds the key."""
    name = keys.new()
    (key,) = master_keys([name], lambda: keys.kms)
    foreign, _ = EncryptionSDKClient().encrypt(
        source=b"s3cret",
        key_provider=key,
        encryption_context={**PLACE.context, **extra},
        algorithm=Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY,
    )
    with pytest.raises(SecretUnreadable):
        keys.envelopes(name).open(foreign, PLACE)


@pytest.mark.parametrize(
    "algorithm",
    [
        Algorithm.AES_256_GCM_IV12_TAG16_HKDF_SHA256,
        Algorithm.AES_128_GCM_IV12_TAG16,
        Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384,
    ],
)
def test_other_algorithms_are_refused(keys: Keys, algorithm: Algorithm) -> None:
    name = keys.new()
    (key,) = master_keys([name], lambda: keys.kms)
    lax = EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
        if algorithm.is_committing()
        else CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT
    )
    weaker, _ = lax.encrypt(source=b"s3cret", key_provider=key, encryption_context=PLACE.context, algorithm=algorithm)
    with pytest.raises(SecretUnreadable):
        keys.envelopes(name).open(weaker, PLACE)


def test_another_key_does_not_open_it(keys: Keys) -> None:
    sealed = keys.envelopes(keys.new()).seal(b"s3cret", PLACE)
    with pytest.raises(SecretUnreadable, match="not known here"):
        keys.envelopes(keys.new()).open(sealed, PLACE)


def test_moving_to_a_new_key(keys: Keys) -> None:
    old, new = keys.new(), keys.new()
    before, between, after = keys.envelopes(old), keys.envelopes(new, old), keys.envelopes(new)
    sealed = before.seal(b"s3cret", PLACE)
    assert between.key_id == after.key_id != before.key_id
    again = between.seal(between.open(sealed, PLACE), PLACE)
    assert after.open(again, PLACE) == b"s3cret"
    with pytest.raises(SecretUnreadable):
        after.open(sealed, PLACE)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_changed_byte_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    keys = Keys(tmp_path)
    envelopes = keys.envelopes(keys.new())
    sealed = bytearray(envelopes.seal(b"s3cret", PLACE))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SecretUnreadable):
        envelopes.open(bytes(sealed), PLACE)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_envelope(tmp_path: Path, data: bytes) -> None:
    keys = Keys(tmp_path)
    with pytest.raises(SecretUnreadable):
        keys.envelopes(keys.new()).open(data, PLACE)


def test_cut_off(keys: Keys) -> None:
    envelopes = keys.envelopes(keys.new())
    sealed = envelopes.seal(b"s3cret", PLACE)
    for length in range(0, len(sealed), 7):
        with pytest.raises(SecretUnreadable):
            envelopes.open(sealed[:length], PLACE)


class Kms(ThreadingHTTPServer):
    """Just enough of KMS to fail at will, and to tell what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.failure = ""


class _Answers(BaseHTTPRequestHandler):
    server: Kms

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        self.server.asked.append((operation, body))
        key = {"Plaintext": base64.b64encode(bytes(32)).decode(), "CiphertextBlob": "d3JhcHBlZA==", "KeyId": ARN}
        answer = {"__type": self.server.failure, "message": "no"} if self.server.failure else key
        self.send_response(400 if self.server.failure else 200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *arguments: object) -> None:
        """Be silent."""


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kms]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with Kms() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def envelopes_of_kms(on_unavailable: Callable[[], object] = lambda: None) -> Envelopes:
    return Envelopes(master_keys([ARN], lambda: aws.client("kms", retries={"total_max_attempts": 1})), on_unavailable)


def test_kms_is_told_the_place_and_asked_for_nothing_else(kms: Kms) -> None:
    """Who may only encrypt needs GenerateDataKey alone; a foreign envelope is refused before KMS is asked."""
    envelopes = envelopes_of_kms()
    sealed = envelopes.seal(b"s3cret", PLACE)
    assert envelopes.open(sealed, PLACE) == b"s3cret"
    assert [operation for operation, _ in kms.asked] == ["GenerateDataKey", "Decrypt"]
    assert all(body["EncryptionContext"] == PLACE.context and body["KeyId"] == ARN for _, body in kms.asked)
    for place in ELSEWHERE:
        with pytest.raises(SecretUnreadable):
            envelopes.open(sealed, place)
    assert len(kms.asked) == 2


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ("DisabledException", SecretsUnavailable),
        ("ThrottlingException", SecretsUnavailable),
        ("AccessDeniedException", SecretsUnavailable),
        ("KMSInternalException", SecretsUnavailable),
        ("InvalidCiphertextException", SecretUnreadable),
        ("IncorrectKeyException", SecretUnreadable),
    ],
)
def test_a_key_that_cannot_be_used(kms: Kms, failure: str, kind: type[Exception]) -> None:
    told: list[str] = []
    envelopes = envelopes_of_kms(lambda: told.append(failure))
    sealed = envelopes.seal(b"s3cret", PLACE)
    assert told == []
    kms.failure = failure
    with pytest.raises(SecretsUnavailable):
        envelopes.seal(b"s3cret", PLACE)
    with pytest.raises(kind):
        envelopes.open(sealed, PLACE)
    assert told == [failure] * (2 if kind is SecretsUnavailable else 1)


def test_kms_that_does_not_answer(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = envelopes_of_kms().seal(b"s3cret", PLACE)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    deaf = envelopes_of_kms()
    with pytest.raises(SecretsUnavailable):
        deaf.seal(b"s3cret", PLACE)
    with pytest.raises(SecretsUnavailable):
        deaf.open(sealed, PLACE)


@pytest.mark.parametrize("content", [b"", b"short", bytes(33), None])
def test_a_key_file_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        master_keys([str(path)], lambda: None)
    with pytest.raises(ConfigurationError):
        Envelopes([])


def test_nothing_of_it_is_logged(keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    envelopes = keys.envelopes(keys.new())
    envelopes.open(envelopes.seal(b"s3cret-canary", PLACE), PLACE)
    assert "canary" not in caplog.text
    assert "aws_encryption_sdk" not in {record.name.split(".")[0] for record in caplog.records}
