"""Scopes read from a key's text agree with the key itself."""

from __future__ import annotations

import pytest
from hypothesis import given

from ray_router.core.keytext import scope_of, wider_than
from ray_router.model import Scope, SessionKey

from .strategies import session_keys, steadily


@steadily(200)
@given(session_keys)
def test_the_text_tells_the_scope(key: SessionKey) -> None:
    """The scope read from the text is the key's own."""
    assert scope_of(str(key)) is key.scope


@pytest.mark.parametrize("widest", list(Scope))
@steadily(100)
@given(key=session_keys)
def test_wider_keys_are_the_lineage(widest: Scope, key: SessionKey) -> None:
    """The wider texts are those of the key's lineage, as far as the widest scope asked for."""
    expected = [(wider.scope, str(wider)) for wider in key.lineage if wider.scope <= widest]
    assert wider_than(str(key), widest) == expected
