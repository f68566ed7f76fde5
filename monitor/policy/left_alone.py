"""What masking leaves alone: the schools' own details, names of schools and places, and words that mean harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.policy.folder import Policy
    from monitor.policy.schools import School


def left_alone(policy: Policy) -> frozenset[str]:
    """Return what `monitor.masking.masked` is to leave in posts that are kept under `policy`.

    The schools' handles and postcodes; what schools and places around are called, so that "called King James's" stays
    a school; and the vocabulary's safety words, so that no rule is blind to "Mr Paedo" or "Boy Stabbed".
    """
    return frozenset(
        {
            *(detail for school in policy.schools.schools for detail in _details(school)),
            *policy.schools.neighbours.secondary,
            *policy.schools.neighbours.primary,
            *(name for namesake in policy.schools.namesakes for name in namesake.names),
            *(phrase for group in policy.vocabulary.safety for phrase in policy.vocabulary.phrases(group)),
        }
        - {""}
    )


def _details(school: School) -> tuple[str, ...]:
    """Return what is one school's own."""
    return (
        *(f"@{handle}".casefold() for handle in (*school.handles, *school.tags)),
        school.postcode.casefold(),
        *school.written_out((*school.own_names, *school.weak, *school.common)),
        *school.towns,
        *school.places,
        *school.communities,
        *school.streets,
        *school.tags,
    )
