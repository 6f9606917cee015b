"""``Reference``: where a secret is, never the secret itself, so that settings can be shown and sent about."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ray_router.errors import InvalidConfigError

_MOST_BYTES = 1_048_576


class Reference(BaseModel):
    """An environment variable or a file, read where it is needed: in each replica.

    Raises:
        pydantic.ValidationError: it names both, or none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: str | None = Field(default=None, min_length=1, description="Name of an environment variable.")
    file: str | None = Field(default=None, min_length=1, description="Path of a file.")

    @model_validator(mode="after")
    def _one(self) -> Reference:
        if (self.env is None) == (self.file is None):
            raise ValueError("must name either 'env' or 'file'")
        return self

    def __str__(self) -> str:
        return f"environment variable {self.env}" if self.env is not None else f"file {self.file}"

    def read(self, field: str) -> bytes:
        """What stands there, without white space around it.

        Args:
            field: the setting that it is for.

        Raises:
            InvalidConfigError: there is nothing; it says where, and never what.
        """
        if self.env is not None:
            content = os.environb.get(os.fsencode(self.env), b"").strip()
        else:
            try:
                with Path(str(self.file)).open("rb") as stream:
                    content = stream.read(_MOST_BYTES).strip()
            except OSError as error:
                raise InvalidConfigError(field, f"{self} cannot be read: {error.strerror}") from None
        if not content:
            raise InvalidConfigError(field, f"{self} is not set, or empty")
        return content
