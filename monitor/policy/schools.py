"""Who is watched, how people write the names, and who else bears them: policy/schools.toml.

Nothing of this is in the code, so that another school, or a whole trust, can be watched by editing one file.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.tables import Table, read_toml, validated

if TYPE_CHECKING:
    from pathlib import Path


def _telling(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a name without a letter or digit: it would be found everywhere or nowhere."""
    for name in names:
        if not any(char.isalnum() for char in name):
            problem = f"{name!r} has no letter or digit"
            raise ValueError(problem)
    return names


Code = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9-]{0,15}$")]
Written = Annotated[tuple[str, ...], AfterValidator(_telling)]
"""Ways to write something. Case, spaces, hyphens, apostrophes and a final s make no difference."""


class School(Table):
    """One school that is watched. A name with {town} in it stands for one with each spelling of the town.

    Attributes:
        code: short and unique, as it stands in every report: "KJS".
        name: the official name. It counts as strong unless it is listed under another kind.
        urn: Unique Reference Number at Get Information About Schools; "" if there is none.
        postcode: of its site; its first half counts as a local place, the whole next to a school word as it.
        towns: its own town, the usual spelling first, with what people make of it.
        places: villages, districts and larger towns around it.
        communities: local papers, groups and forums whose name holds no town.
        streets: its own address; counts only where a word of `street_words` stands by.
        domains: its web addresses.
        handles: its official accounts without "@".
        strong: names that only this school bears.
        weak: names it shares: ours with a town or place, doubtful with a school word.
        common: initials that dozens of bodies use: ours with its own town, or with a place and a school word;
            doubtful with a sure school word.
        generic: what neighbours call it; counts only with its own town.
        phrases: what collectors search for, most telling first. Never a person's name.
        tags: hashtags that collectors search for, without "#".
    """

    code: Code
    name: str = Field(min_length=3)
    urn: str = Field(default="", pattern=r"^(\d{6})?$")
    postcode: str = Field(default="", pattern=r"^([A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})?$")
    towns: Written = Field(min_length=1)
    places: Written = ()
    communities: Written = ()
    streets: Written = ()
    domains: Written = ()
    handles: Written = ()
    strong: Written = ()
    weak: Written = ()
    common: Written = ()
    generic: Written = ()
    phrases: Written = ()
    tags: Written = ()

    @property
    def own_names(self) -> tuple[str, ...]:
        """The strong names, the official one among them unless it is listed as a shared one."""
        shared = {*self.weak, *self.common, *self.generic}
        return self.strong if self.name in shared or self.name in self.strong else (self.name, *self.strong)

    def written_out(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return `names` with each spelling of the town in the place of {town}."""
        return tuple(
            name.replace("{town}", town)
            for name in names
            for town in (self.towns if "{town}" in name else self.towns[:1])
        )


class Beaten(StrEnum):
    """What has to stand beside a shared name to be ours although a namesake's words are there too."""

    TOWN = "town"  # our own town, nearer to the name than the namesake's place
    PLACE = "place"  # any town or place of ours
    SCHOOL_WORDS = "school words"  # a local place and any school word; our own town, where the signal stands alone
    SURE_WORDS = "sure school words"  # our own town and a sure school word


class Namesake(Table):
    """Somebody or something else that is called like one of our schools.

    Attributes:
        name: stands as the reason where a post is dropped.
        of: codes of the schools whose names it shares.
        shares: which of our names; all of them if none is listed.
        names: what only the namesake is called, even if our name is part of it: "King James Bible".
        signals: towns, people and words that show that the namesake is meant.
        domains: its web addresses; signals too.
        not_before: words before which one of `names` is no name: the I of "King James I think".
        beaten_by: what outweighs the signals.
    """

    name: str = Field(min_length=3)
    of: tuple[Code, ...] = Field(min_length=1)
    shares: Written = ()
    names: Written = ()
    signals: Written = ()
    domains: Written = ()
    not_before: Written = ()
    beaten_by: Beaten = Beaten.TOWN


class Federation(Table):
    """What schools are called together.

    Attributes:
        name: the official name.
        members: codes.
        names: ways to write it; they count only beside a member, or in a member's town.
    """

    name: str = ""
    members: tuple[Code, ...] = ()
    names: Written = ()


class Neighbours(Table):
    """Other schools around, which may be the ones that are meant.

    Attributes:
        secondary: where a post about "the high school" may belong instead.
        primary: where a post about "the school" may belong instead.
    """

    secondary: Written = ()
    primary: Written = ()


class Words(Table):
    """Words that no school owns.

    Attributes:
        school: words of school life, which are used elsewhere too.
        sure: words of school life that are hardly used elsewhere.
        older: words that only fit a secondary school; they are sure school words too.
        primary: words that only fit a primary school.
        vague: how people speak of a school without naming it; doubtful with its own town.
        street: what has to stand by a school's street to make a post be about the school.
        safety: words that keep a weak mention from being dropped.
        no_name_before: a name right before one of these is something else: "Street", "pub".
        no_high_before: so is a name that ends in "High": "winds", "season".
        no_town_before: a town right before one of these is something else: "Road".
        no_school: turns of phrase with "school" that say nothing: "school run".
    """

    school: Written
    sure: Written
    older: Written = ()
    primary: Written = ()
    vague: Written = ()
    street: Written = ()
    safety: Written = ()
    no_name_before: Written = ()
    no_high_before: Written = ()
    no_town_before: Written = ()
    no_school: Written = ()


class Schools(Table):
    """The whole of policy/schools.toml.

    Attributes:
        schools: who is watched, in any number.
        federation: what they are called together.
        namesakes: who else bears their names.
        neighbours: other schools around, which may be the ones that are meant.
        words: words that no school owns.
    """

    schools: tuple[School, ...] = Field(min_length=1)
    federation: Federation = Federation()
    namesakes: tuple[Namesake, ...] = ()
    neighbours: Neighbours = Neighbours()
    words: Words

    @model_validator(mode="after")
    def _codes_agree(self) -> Self:
        """Refuse codes that are used twice or that nobody bears."""
        codes = [school.code for school in self.schools]
        twice = sorted({code for code in codes if codes.count(code) > 1}) if len(set(codes)) < len(codes) else []
        if twice:
            problem = f"two schools have the code {twice[0]!r}"
            raise ValueError(problem)
        known = set(codes)
        named = [*self.federation.members, *(code for namesake in self.namesakes for code in namesake.of)]
        for code in named:
            if code not in known:
                problem = f"no school has the code {code!r}"
                raise ValueError(problem)
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the file at `path`.

        Raises:
            ConfigError: it is missing or wrong; names file, line, key and cure.
        """
        content, text = read_toml(path)
        return validated(cls, content, file=path, text=text)

    @property
    def codes(self) -> tuple[str, ...]:
        """The schools' codes, in the file's order."""
        return tuple(school.code for school in self.schools)

    @property
    def phrases(self) -> tuple[str, ...]:
        """What collectors search for, most telling first: each school's first, then the second ones."""
        return _in_turn(tuple(school.phrases for school in self.schools))

    @property
    def tags(self) -> tuple[str, ...]:
        """Hashtags that collectors search for, without "#", in turn as `phrases`."""
        return _in_turn(tuple(school.tags for school in self.schools))


def _in_turn(lists: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Return the items of several lists, all first ones first, without doubles."""
    longest = max(map(len, lists), default=0)
    return tuple(dict.fromkeys(items[turn] for turn in range(longest) for items in lists if turn < len(items)))
