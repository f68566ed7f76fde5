"""From clues to a verdict: the matching rule of the policy, section 3.3."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis.matching.phrases import Kind, squeeze
from analysis.matching.post import Decision
from analysis.text import fold
from monitor.policy.schools import Beaten
from monitor.records import Reason, Relevance

if TYPE_CHECKING:
    from analysis.matching.evidence import Clue, Evidence
    from monitor.policy.schools import Schools

MANY = 2
"""A town with more of our schools than this tells nothing about which one "the school" is."""

BESIDE = 5
"""Characters up to which a town stands right beside a name: "King James's in Knaresborough"."""

SCHOOL_WORDS = (Kind.SCHOOL, Kind.SURE, Kind.OLDER)
SURE_WORDS = (Kind.SURE, Kind.OLDER)
OTHER_SCHOOLS = (Kind.SECONDARY, Kind.PRIMARY_SCHOOL)
OTHERS = (*OTHER_SCHOOLS, Kind.NAMESAKE)

NOBODY = "no school named"
WEAK = "weak name without a local anchor"
STREET = "a street of that name"
OTHER = "another school"
PRIMARY = "a primary school"
LOCAL = "school words in our town, no school named"


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a post may have to go, and whether enough was said to be sure of it."""

    reason: str
    sure: bool


@dataclass(slots=True)
class Verdict:
    """What has been concluded so far, clue by clue."""

    ours: dict[int, None] = field(default_factory=dict)
    doubts: int = 0
    drops: list[Drop] = field(default_factory=list)
    reasons: dict[Reason, None] = field(default_factory=dict)


class Judge:
    """Weighs the clues of one post after another.

    Args:
        schools: the policy; the numbers in the clues count its schools and its namesakes.
    """

    def __init__(self, schools: Schools) -> None:
        self._schools = schools
        number = {code: place for place, code in enumerate(schools.codes)}
        self._members = frozenset(number[code] for code in schools.federation.members)
        self._rivals: dict[int, list[int]] = defaultdict(list)
        for place, namesake in enumerate(schools.namesakes):
            for code in namesake.of:
                self._rivals[number[code]].append(place)
        self._shares = [
            frozenset(squeeze(fold(name).text) for name in namesake.shares) for namesake in schools.namesakes
        ]

    def decide(self, evidence: Evidence) -> Decision:
        """Return whether a post is about our schools, and about which."""
        verdict = Verdict()
        for clue in evidence.of(Kind.STRONG, Kind.DOMAIN):
            self._by_its_own_name(clue, evidence, verdict)
        for clue in evidence.of(Kind.WEAK, Kind.COMMON):
            self._by_a_shared_name(clue, evidence, verdict)
        for clue in evidence.of(Kind.GENERIC):
            self._by_a_generic_name(clue, evidence, verdict)
        for clue in evidence.of(Kind.STREET, Kind.POSTCODE):
            self._by_its_address(clue, evidence, verdict)
        if not verdict.ours:
            for clue in evidence.of(Kind.VAGUE):
                self._by_no_name(clue, evidence, verdict)
            if not verdict.doubts and not verdict.drops:
                self._by_school_life(evidence, verdict)
        self._together(evidence, verdict)
        return self._decision(evidence, verdict)

    def _by_its_own_name(self, clue: Clue, evidence: Evidence, verdict: Verdict) -> None:
        """Decide on a name that only one school bears; where several on the list bear it, the town tells."""
        bearers = clue.owners if len(clue.owners) == 1 else clue.owners & evidence.towns
        if len(bearers) == 1:
            self._ours(clue, next(iter(bearers)), evidence, verdict)
        else:
            self._doubt(clue, evidence, verdict)

    def _by_a_shared_name(self, clue: Clue, evidence: Evidence, verdict: Verdict) -> None:
        """Decide on a name that others bear as well: it needs a place, and no namesake's words."""
        bearers = clue.owners if len(clue.owners) == 1 else clue.owners & evidence.towns
        if not bearers and evidence.said(*SCHOOL_WORDS, Kind.SAFETY):
            self._doubt(clue, evidence, verdict)
        for school in sorted(bearers):
            rival = self._rival(clue, school, evidence)
            if rival:
                if kept := self._for_a_person(clue, school, rival, evidence):
                    self._doubt(clue, evidence, verdict, *kept)
                else:
                    verdict.drops.append(rival)
                continue
            own = evidence.anchor(school, Kind.TOWN) or self._sister_named(school, evidence, verdict)
            near = own or evidence.anchor(school, Kind.PLACE) or evidence.said(Kind.SECONDARY)
            word = evidence.said(*SCHOOL_WORDS, beside=clue)
            sure = evidence.said(*SURE_WORDS, beside=clue)
            if own or (near and (sure or clue.kind is Kind.WEAK)):
                self._ours(clue, school, evidence, verdict, near, None if own else sure)
            elif sure or (word and (near or clue.kind is Kind.WEAK)):
                self._doubt(clue, evidence, verdict, near, sure or word)
            elif safety := evidence.said(Kind.SAFETY):
                self._doubt(clue, evidence, verdict, safety)
            else:
                verdict.drops.append(Drop(WEAK, sure=False))

    def _for_a_person(self, clue: Clue, school: int, rival: Drop, evidence: Evidence) -> tuple[Clue, ...]:
        """Return why a post is shown though a namesake seems to be meant: danger in its words is never dropped alone.

        With a namesake that is not sure, what speaks of pupils; with any that does not stand beside the name,
        danger where our own town is named.
        """
        pupils = None if rival.sure else evidence.said(*SURE_WORDS, beside=clue)
        if pupils:
            return (pupils,)
        theirs = (signal for signal in evidence.of(Kind.SIGNAL) if signal.owners & set(self._rivals[school]))
        town, safety = evidence.anchor(school, Kind.TOWN), evidence.said(Kind.SAFETY)
        if safety and town and town.in_text and evidence.near(clue, theirs) > BESIDE:
            return (safety, town)
        return ()

    def _rival(self, clue: Clue, school: int, evidence: Evidence) -> Drop | None:
        """Return the namesake that is meant rather than `school`, if there is one.

        A school elsewhere is sure by its town; of anything else a lone signal is not, unless it is its own name.
        """
        towns = [town for town in evidence.of(Kind.TOWN) if school in town.owners]
        local = towns or [place for place in evidence.of(Kind.PLACE) if school in place.owners]
        beside = evidence.near(clue, towns) <= BESIDE
        for place in self._rivals[school]:
            namesake = self._schools.namesakes[place]
            signals = [signal for signal in evidence.of(Kind.SIGNAL, Kind.OTHER_DOMAIN) if place in signal.owners]
            name = squeeze(fold(clue.hit.phrase.text).text)
            if not signals or (self._shares[place] and name not in self._shares[place]):
                continue
            said = {signal.hit.phrase.text.casefold() for signal in signals}
            lone = len(said) == 1 and not set(min(said).split()) <= set(namesake.name.casefold().split())
            if beside and namesake.beaten_by is not Beaten.SURE_WORDS:
                beaten = True
            elif namesake.beaten_by is Beaten.TOWN:
                inside = [signal for signal in signals if signal.in_text]
                ours = [town for town in towns if town.in_text] if inside or not towns else towns
                beaten = bool(ours) and evidence.near(clue, ours) <= evidence.near(clue, inside)
            elif namesake.beaten_by is Beaten.PLACE:
                beaten = bool(local)
            elif namesake.beaten_by is Beaten.SCHOOL_WORDS:
                beaten = (bool(towns) and lone) or (bool(local) and evidence.said(*SCHOOL_WORDS) is not None)
            else:
                beaten = bool(towns) and evidence.said(*SURE_WORDS) is not None
            if not beaten:
                return Drop(namesake.name, sure=not lone or namesake.beaten_by is Beaten.TOWN)
        return None

    def _by_a_generic_name(self, clue: Clue, evidence: Evidence, verdict: Verdict) -> None:
        """Decide on "the high school", said in its own town or of it; in one of its villages it may be another."""
        bearers = clue.owners & evidence.towns
        if len(bearers) != 1:
            own = (place for place in evidence.of(Kind.PLACE) if len(place.owners) == 1 and place.owners <= clue.owners)
            village = next(own, None)
            if village and not evidence.towns:
                self._doubt(clue, evidence, verdict, village)
            return
        town = evidence.anchor(next(iter(bearers)), Kind.TOWN)
        if evidence.said(Kind.SECONDARY):
            self._doubt(clue, evidence, verdict, town)
        else:
            self._ours(clue, next(iter(bearers)), evidence, verdict, town)

    def _by_its_address(self, clue: Clue, evidence: Evidence, verdict: Verdict) -> None:
        """Decide on a school's street or postcode: the words beside it, and its town, have to fit."""
        kinds = SCHOOL_WORDS if clue.kind is Kind.POSTCODE else (Kind.STREET_WORD,)
        word = evidence.said(*kinds)
        for school in sorted(clue.owners):
            town = evidence.anchor(school, Kind.TOWN)
            if word and (town or clue.kind is Kind.POSTCODE):
                self._ours(clue, school, evidence, verdict, town, word)
            else:
                verdict.drops.append(Drop(STREET, sure=False))

    def _by_no_name(self, clue: Clue, evidence: Evidence, verdict: Verdict) -> None:
        """Decide on "that school" in a town of ours: of which one, only its pupils' age can tell."""
        towns = clue.owners or evidence.towns
        if not 0 < len(towns) <= MANY:
            return
        town = evidence.anchor(min(towns), Kind.TOWN)
        older = evidence.said(Kind.OLDER)
        if evidence.said(*OTHER_SCHOOLS):
            verdict.drops.append(Drop(OTHER, sure=True))
        elif evidence.said(Kind.YOUNGER) and not older:
            verdict.drops.append(Drop(PRIMARY, sure=True))
        elif older and len(towns) == 1:
            self._ours(clue, min(towns), evidence, verdict, town, older)
        else:
            self._doubt(clue, evidence, verdict, town)

    def _by_school_life(self, evidence: Evidence, verdict: Verdict) -> None:
        """Decide on school life in a town of ours, though no school is spoken of: safety words or an age keep it."""
        word = evidence.said(*SCHOOL_WORDS)
        if word is None or not 0 < len(evidence.towns) <= MANY or evidence.said(*OTHERS):
            return
        town = evidence.anchor(min(evidence.towns), Kind.TOWN)
        if safety := evidence.said(Kind.SAFETY):
            self._doubt(safety, evidence, verdict, word, town)
        elif len(evidence.towns) == 1 and (older := evidence.said(Kind.OLDER)):
            self._doubt(older, evidence, verdict, town)
        else:
            verdict.drops.append(Drop(LOCAL, sure=False))

    def _together(self, evidence: Evidence, verdict: Verdict) -> None:
        """Decide on the federation: beside a member, or in a member's town, it means all members."""
        clue = evidence.said(Kind.FEDERATION)
        if clue is None:
            return
        towns = [town for town in evidence.of(Kind.TOWN) if town.owners & self._members]
        spoken = {clue.hit.phrase.text for clue in evidence.of(Kind.FEDERATION)}
        if self._members & verdict.ours.keys() or verdict.doubts or (towns and evidence.said(*SCHOOL_WORDS)):
            for school in sorted(self._members):
                self._ours(clue, school, evidence, verdict, *towns[:1])
        elif len(spoken) > 1:
            self._doubt(clue, evidence, verdict)

    def _sister_named(self, school: int, evidence: Evidence, verdict: Verdict) -> Clue | None:
        """Return the strong name of another member of the federation, which is as good as a town."""
        if school not in self._members or not (self._members & verdict.ours.keys()):
            return None
        return next((clue for clue in evidence.of(Kind.STRONG) if clue.owners & self._members), None)

    def _ours(self, clue: Clue, school: int, evidence: Evidence, verdict: Verdict, *because: Clue | None) -> None:
        """Note that the post is about `school`."""
        verdict.ours[school] = None
        self._note(clue, evidence, verdict, *because)

    def _doubt(self, clue: Clue, evidence: Evidence, verdict: Verdict, *because: Clue | None) -> None:
        """Note that a person has to look."""
        verdict.doubts += 1
        self._note(clue, evidence, verdict, *because)

    def _note(self, clue: Clue, evidence: Evidence, verdict: Verdict, *because: Clue | None) -> None:
        """Keep the reasons, each once."""
        for one in (clue, *because):
            if one:
                verdict.reasons[self._reason(one, evidence)] = None

    def _reason(self, clue: Clue, evidence: Evidence) -> Reason:
        """Return a clue as a reason that a person can check."""
        codes = sorted(self._schools.schools[owner].code for owner in list(clue.owners)[:3])
        rule = ": ".join(part for part in (" ".join(codes), clue.kind.value) if part)
        start, end, words = evidence.words(clue)
        if not clue.in_text:
            return Reason(about="relevance", rule=rule, text=words, note=f"stands in the {clue.field}")
        return Reason(about="relevance", rule=rule, start=start, end=end, text=words)

    def _decision(self, evidence: Evidence, verdict: Verdict) -> Decision:
        """Return what the notes amount to."""
        reasons = tuple(verdict.reasons)
        if verdict.ours:
            codes = tuple(sorted(self._schools.schools[school].code for school in verdict.ours))
            return Decision(relevant=Relevance.YES, schools=codes, reasons=reasons)
        if verdict.doubts:
            return Decision(relevant=Relevance.UNCERTAIN, reasons=reasons)
        drops = [drop for drop in verdict.drops if drop.reason != WEAK] or verdict.drops
        namesake = next(iter(evidence.of(Kind.NAMESAKE)), None)
        if namesake and (not drops or drops[0].reason == WEAK):
            drops = [Drop(self._schools.namesakes[min(namesake.owners)].name, sure=True)]
        if not drops:
            return Decision(relevant=Relevance.NO, drop_reason=NOBODY)
        return Decision(relevant=Relevance.NO, drop_reason=drops[0].reason, doubtful=not drops[0].sure)
