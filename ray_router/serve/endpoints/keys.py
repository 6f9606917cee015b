"""``Keys``: the public keys that tokens are signed with, as configured or as their owner publishes them."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate
from jwt import PyJWKClient, PyJWKSet, PyJWTError

from ray_router.errors import InvalidConfigError

_log = logging.getLogger(__name__)

_FETCH_WITHIN_S = 5.0
_FETCH_EVERY_S = 3_600.0
_LOOK_AGAIN_AFTER_S = 30.0


class Keys:
    """RSA public keys by their ids.

    Published keys are fetched when first needed, again every hour, and for a key id that is not known; but
    never within half a minute of the time before, so that made-up ids cost nobody anything. While they
    cannot be fetched, those of before go on counting.

    Args:
        fixed: keys by id; one under None counts for every id.
        url: where a JSON Web Key Set is published.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        fixed: Mapping[str | None, Any],
        url: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = dict(fixed)
        self._client = None if url is None else PyJWKClient(url, timeout=_FETCH_WITHIN_S, cache_jwk_set=False)
        self._clock = clock
        self._tried_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str | None) -> Any:
        """The key of this id; None when there is none."""
        if self._client is not None and self._is_due(key_id):
            if self._fetching is None:
                self._fetching = asyncio.create_task(self._fetch(self._client))
            await asyncio.wait({self._fetching})
        return self._keys.get(key_id, self._keys.get(None))

    def _is_due(self, key_id: str | None) -> bool:
        if self._fetching is not None or self._tried_at is None:
            return True
        age_s = self._clock() - self._tried_at
        return age_s >= (_FETCH_EVERY_S if key_id in self._keys else _LOOK_AGAIN_AFTER_S)

    async def _fetch(self, client: PyJWKClient) -> None:
        try:
            published = await asyncio.to_thread(client.get_jwk_set)
        except (PyJWTError, OSError, ValueError, RecursionError) as error:
            _log.warning("the keys published at %s could not be fetched: %s", client.uri, error)
        else:
            self._keys = {key.key_id: key for key in published.keys if key.key_id is not None}
        finally:
            self._tried_at = self._clock()
            self._fetching = None


def read_keys(content: bytes, field: str) -> dict[str | None, Any]:
    """Keys as a file has them: a JSON Web Key Set, PEM by id as JSON, or one PEM.

    Raises:
        InvalidConfigError: it holds no RSA public key.
    """
    keys: dict[str | None, Any] = {}
    try:
        if not content.startswith(b"{"):
            return {None: _from_pem(content)}
        document = json.loads(content)
        if "keys" in document:
            found = PyJWKSet.from_dict(document).keys
            keys.update((key.key_id, key) for key in found if isinstance(key.key, RSAPublicKey))
        else:
            keys.update((name, _from_pem(pem.encode())) for name, pem in document.items())
        if not keys:
            raise ValueError
    except (PyJWTError, ValueError, AttributeError, RecursionError):
        problem = "must hold RSA public keys: a JSON Web Key Set, an object of PEM by key id, or one PEM"
        raise InvalidConfigError(field, problem) from None
    return keys


def _from_pem(pem: bytes) -> RSAPublicKey:
    is_certificate = b"BEGIN CERTIFICATE" in pem
    key = load_pem_x509_certificate(pem).public_key() if is_certificate else load_pem_public_key(pem)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("no RSA key")
    return key
