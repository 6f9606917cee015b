"""Keys in pages: every key once, in the order of slots, from whatever place one goes on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ray_router.core.reading import Place, Reading

from .strategies import steadily

slots = st.lists(st.integers(0, 5), max_size=30)


def reading_of(slots: list[int], at_once: int = 3) -> Reading:
    """A reading of numbered keys, each in its slot."""
    keys = {str(number): slot for number, slot in enumerate(slots)}
    reading = Reading(keys, keys.__getitem__)
    while reading.sort_some(at_once):
        pass
    return reading


def pages(reading: Reading, most: int, place: Place | None = None) -> list[list[str]]:
    """All pages from a place on."""
    found = []
    after: Place | None = place or Place()
    while after is not None:
        keys, after = reading.keys_from(after, most)
        found.append(keys)
    return found


@steadily(100)
@given(slots, st.integers(1, 7), st.integers(1, 7))
def test_every_key_is_read_once_in_the_order_of_slots(slots: list[int], at_once: int, most: int) -> None:
    """However many are sorted, and read, at once; no page but the last is short."""
    found = pages(reading_of(slots, at_once), most)
    keys = [key for page in found for key in page]
    assert sorted(keys, key=int) == [str(number) for number in range(len(slots))]
    assert [slots[int(key)] for key in keys] == sorted(slots)
    assert all(len(page) == most for page in found[:-1])


@steadily(100)
@given(slots, st.integers(1, 7), st.data())
def test_a_page_may_be_asked_for_again(slots: list[int], most: int, data: st.DataObject) -> None:
    """What follows a place is the same whenever it is asked for."""
    reading = reading_of(slots)
    places: list[Place] = [Place()]
    while (after := reading.keys_from(places[-1], most)[1]) is not None:
        places.append(after)
    place = data.draw(st.sampled_from(places))
    whole = pages(reading, most)
    assert pages(reading, most, place) == whole[places.index(place) :]


@steadily(100)
@given(slots, st.integers(0, 6))
def test_another_reading_goes_on_in_the_same_slot(slots: list[int], slot: int) -> None:
    """From its begin: what lies in it is not skipped, whatever was read of it before."""
    keys = [key for page in pages(reading_of(slots), 4, Place(slot)) for key in page]
    assert sorted(slots[int(key)] for key in keys) == sorted(each for each in slots if each >= slot)


def test_what_does_not_belong_in_it_is_left_out() -> None:
    """Before its slot is looked at."""
    looked_at = []

    def slot_of(key: str) -> int:
        looked_at.append(key)
        return 0

    reading = Reading(["a", "b", "c"], slot_of, wanted=lambda key: key != "b")
    assert not reading.sort_some(10)
    assert sorted(looked_at) == ["a", "c"]
    assert pages(reading, 10) == [["a", "c"]]


def test_nothing_is_one_empty_page() -> None:
    """So that whoever reads an empty partition is told that this is all."""
    assert pages(reading_of([]), 5) == [[]]
