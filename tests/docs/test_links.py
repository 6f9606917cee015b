"""The links of the README lead somewhere."""

from __future__ import annotations

import pytest

from .page import REPOSITORY, anchors, drawn, links, pictures

WITHIN = sorted({link for link in links() if not link.startswith("https://")})


@pytest.mark.parametrize("link", WITHIN)
def test_a_link_leads_to_a_heading_or_a_file(link: str) -> None:
    """Of this page, or of this repository."""
    assert link.removeprefix("#") in anchors() if link.startswith("#") else (REPOSITORY / link).is_file()


@pytest.mark.parametrize("picture", sorted(pictures()))
def test_a_picture_is_there_and_says_what_it_shows(picture: str) -> None:
    """Also to whoever does not see it; what it shows needs nothing from elsewhere to be read."""
    assert len(pictures()[picture]) > 40
    assert drawn(REPOSITORY / picture)
