"""``Manner``: how a partition is to be asked."""

from __future__ import annotations

from typing import NamedTuple


class Manner(NamedTuple):
    """How one leg of a submission travels.

    Args:
        copy: the partition is asked for its copy, or in place of the owner.
        astray: a keeper may have missed what is written.
        hedged: fail as soon as the partition is late or lost: somebody else will be asked.
        firm: but not only because it is late: while it lives and answers others, it is to have this.
        patient: nobody else is left: wait for it, even if it is down.
    """

    copy: bool = False
    astray: bool = False
    hedged: bool = False
    firm: bool = False
    patient: bool = False


USUAL = Manner()
