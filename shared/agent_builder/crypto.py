"""Envelopes for tenants' secrets: the AWS Encryption SDK, with a KMS key on AWS and a key in a file on the laptop.

Each envelope is bound to a place (tenant, credential, purpose). The binding is authenticated, stands readable in the
envelope's head, and is compared with the place that the reader expects before any key is asked for: the SDK itself
would open whatever it holds a key for.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aws_encryption_sdk import Algorithm, CommitmentPolicy, DefaultCryptoMaterialsManager, EncryptionSDKClient
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.base import MasterKey
from aws_encryption_sdk.key_providers.kms import KMSMasterKey, KMSMasterKeyConfig
from aws_encryption_sdk.key_providers.raw import RawMasterKey, RawMasterKeyConfig
from aws_encryption_sdk.materials_managers import DecryptionMaterials, DecryptionMaterialsRequest
from botocore.exceptions import BotoCoreError, ClientError

from agent_builder.errors import AgentBuilderError, ConfigurationError, SecretsUnavailable, SecretUnreadable
from agent_builder.models.places import Place

# Commits to its key; not signed, since who may write and who may read is KMS's business.
ALGORITHM = Algorithm.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
PLAIN_LIMIT = 256 * 1024
_FILE_PROVIDER = "agent-builder-key-file"
_KEY_BYTES = 32
_NOT_OURS = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})

# At DEBUG it logs encryption contexts and data keys, at ERROR the traces of what is translated here.
logging.getLogger("aws_encryption_sdk").setLevel(logging.CRITICAL)


class Envelopes:
    """Seals and opens secrets.

    Args:
        keys: The first seals, all open. See `master_keys`.
        on_unavailable: Told each time that a key cannot be used.
    """

    def __init__(self, keys: Sequence[MasterKey], on_unavailable: Callable[[], object] = lambda: None) -> None:
        if not keys:
            raise ConfigurationError("There is no key for credentials.")
        self._keys = tuple(keys)
        self._on_unavailable = on_unavailable
        self._client = EncryptionSDKClient(
            commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, max_encrypted_data_keys=1
        )

    @property
    def key_id(self) -> str:
        """The name of the key that seals."""
        return _name(self._keys[0])

    def seal(self, plain: bytes, place: Place) -> bytes:
        """Encrypt.

        Raises:
            SecretsUnavailable: The key cannot be used now.
        """
        if len(plain) > PLAIN_LIMIT:
            raise ValueError("a secret is too large")
        try:
            sealed, _ = self._client.encrypt(
                source=plain,
                materials_manager=DefaultCryptoMaterialsManager(self._keys[0]),
                encryption_context=place.context,
                algorithm=ALGORITHM,
            )
        except (AWSEncryptionSDKClientError, BotoCoreError, ClientError) as error:
            raise self._told(_unavailable(error)) from None
        return bytes(sealed)

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Decrypt.

        Raises:
            SecretUnreadable: It was not sealed for this place, or by a key that is not known here, or it was changed.
            SecretsUnavailable: The key cannot be used now.
        """
        bound = _Bound(self._keys, place)
        try:
            plain, _ = self._client.decrypt(source=sealed, materials_manager=bound, max_body_length=PLAIN_LIMIT)
        except AgentBuilderError:
            raise
        except Exception as error:
            raise self._told(_failure(error)) from None
        return bytes(plain)

    def _told(self, error: AgentBuilderError) -> AgentBuilderError:
        if isinstance(error, SecretsUnavailable):
            self._on_unavailable()
        return error


class _Bound(DefaultCryptoMaterialsManager):  # type: ignore[misc]
    """Gives out the key of an envelope only if the envelope belongs to the place."""

    def __init__(self, keys: Sequence[MasterKey], place: Place) -> None:
        super().__init__(keys[0])
        self._keys = keys
        self._place = place

    def decrypt_materials(self, request: DecryptionMaterialsRequest) -> DecryptionMaterials:
        """Compare before anything is decrypted; the head is authenticated with the key that is found here."""
        if request.encryption_context != self._place.context or request.algorithm is not ALGORITHM:
            raise SecretUnreadable("An envelope belongs elsewhere.")
        for wrapped in request.encrypted_data_keys:
            for key in self._keys:
                if _owns(key, wrapped):
                    found = key.decrypt_data_key(wrapped, request.algorithm, request.encryption_context)
                    return DecryptionMaterials(data_key=found, verification_key=None)
        raise SecretUnreadable("An envelope was sealed by a key that is not known here.")


def master_keys(names: Sequence[str], kms: Callable[[], Any]) -> list[MasterKey]:
    """The keys of these names: ARNs of KMS keys, or paths of files of 32 random bytes.

    Args:
        names: In the order of `Envelopes`.
        kms: Makes a botocore client of KMS; called once, and only where a name is an ARN.

    Raises:
        ConfigurationError: A name is neither, or its file is not what it should be.
    """
    client: Any = None
    keys: list[MasterKey] = []
    for name in names:
        if name.startswith("arn:"):
            client = client or kms()
            keys.append(KMSMasterKey(config=KMSMasterKeyConfig(key_id=name, client=client)))
        else:
            keys.append(_file_key(Path(name)))
    return keys


def _file_key(path: Path) -> MasterKey:
    try:
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The key file for credentials cannot be read ({type(error).__name__}).") from None
    if len(secret) != _KEY_BYTES:
        raise ConfigurationError(f"The key file for credentials must hold {_KEY_BYTES} random bytes.")
    wrapping = WrappingKey(
        wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
        wrapping_key=secret,
        wrapping_key_type=EncryptionKeyType.SYMMETRIC,
    )
    name = hashlib.sha256(b"name of a key file\0" + secret).hexdigest()[:16]
    return RawMasterKey(config=RawMasterKeyConfig(key_id=name, provider_id=_FILE_PROVIDER, wrapping_key=wrapping))


def _name(key: MasterKey) -> str:
    name = key.key_id
    return name.decode() if isinstance(name, bytes) else str(name)


def _owns(key: MasterKey, wrapped: Any) -> bool:
    """A KMS key by its ARN, which must be the very one; a file's key by its name."""
    return bool(key.owns_data_key(wrapped))


def _failure(error: BaseException) -> AgentBuilderError:
    code = _aws_code(error)
    if isinstance(error, BotoCoreError) or (code and code not in _NOT_OURS):
        return _unavailable(error)
    # Whatever the SDK, the ciphers or their parsers say of bytes that are not as they should be.
    return SecretUnreadable("An envelope was changed, or is none.")


def _unavailable(error: BaseException) -> SecretsUnavailable:
    logging.getLogger(__name__).error(
        "the key for credentials could not be used", extra={"error": _aws_code(error) or type(error).__name__}
    )
    return SecretsUnavailable()


def _aws_code(error: BaseException) -> str:
    cause = error if isinstance(error, ClientError) else error.__cause__
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""
