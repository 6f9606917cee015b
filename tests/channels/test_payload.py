"""The reader that all channels share."""

import pickle

import pytest

from ray_router.channels import InvalidPayloadError, Payload
from ray_router.errors import InvalidInputError

PAYLOAD = Payload.of(
    {
        "text": "hi",
        "empty": "",
        "null": None,
        "int": 5,
        "bool": True,
        "float": 1.5,
        "object": {"inner": {"ts": 1}},
        "array": [{"a": 1}, {"a": 2}],
        "surrogate": "\ud800",
    }
)


def test_values() -> None:
    """Values of the kind asked for are given as they are."""
    assert PAYLOAD.text("text") == "hi"
    assert PAYLOAD.integer("int") == PAYLOAD.optional_integer("int") == 5
    assert PAYLOAD.flag("bool") is True
    assert [child.integer("a") for child in PAYLOAD.children("array")] == [1, 2]


@pytest.mark.parametrize("name", ["null", "missing"])
def test_absent_values(name: str) -> None:
    """A null is absent, and absent values are None, False or none at all where they may be."""
    assert not PAYLOAD.has(name)
    assert PAYLOAD.optional_text(name) is None
    assert PAYLOAD.optional_integer(name) is None
    assert PAYLOAD.optional_child(name) is None
    assert PAYLOAD.optional_children(name) == ()
    assert PAYLOAD.flag(name) is False


def test_empty_text() -> None:
    """Empty text is no text, and not enough where text is needed."""
    assert PAYLOAD.optional_text("empty") is None
    with pytest.raises(InvalidPayloadError, match="empty: must not be empty"):
        PAYLOAD.text("empty")


@pytest.mark.parametrize(
    ("method", "name", "problem"),
    [
        ("text", "null", "is missing"),
        ("text", "int", "must be a str, not int"),
        ("text", "surrogate", "holds a lone surrogate"),
        ("integer", "missing", "is missing"),
        ("integer", "bool", "must be an int, not bool"),
        ("integer", "float", "must be an int, not float"),
        ("flag", "int", "must be a bool, not int"),
        ("child", "missing", "is missing"),
        ("child", "array", "must be an object, not list"),
        ("children", "missing", "is missing"),
        ("children", "object", "must be an array, not dict"),
    ],
)
def test_refusals(method: str, name: str, problem: str) -> None:
    """A value of another kind is refused by name."""
    with pytest.raises(InvalidPayloadError, match=f"^{name}: {problem}"):
        getattr(PAYLOAD, method)(name)


def test_bounds_of_integers() -> None:
    """Integers are those that fit in 64 bits."""
    assert Payload.of({"id": -(2**63) + 1}).integer("id") == -(2**63) + 1
    for value in (2**63, -(2**63), 10**5000):
        with pytest.raises(InvalidPayloadError, match="id: must fit in 64 bits"):
            Payload.of({"id": value}).integer("id")


def test_paths() -> None:
    """An error says where in the payload it is."""
    with pytest.raises(InvalidPayloadError, match=r"^object\.inner\.ts: must be a str"):
        PAYLOAD.child("object").child("inner").text("ts")
    with pytest.raises(InvalidPayloadError, match=r"^array\[1\]\.b: is missing"):
        PAYLOAD.children("array")[1].text("b")
    with pytest.raises(InvalidPayloadError, match=r"^payload: must be an object, not NoneType"):
        Payload.of(None)


def test_errors_travel() -> None:
    """The error is one of the router's, and survives pickling."""
    error = pickle.loads(pickle.dumps(PAYLOAD.broken("text", "is odd")))
    assert isinstance(error, InvalidInputError)
    assert (error.field, error.problem, str(error)) == ("text", "is odd", "text: is odd")
