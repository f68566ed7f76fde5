"""Names of persons in what people write: each becomes "[name]", and the word that told of it stays (PR06).

"Mr Penrose", "my son Tobias" and "a girl called Ottilie" become "Mr [name]", "my son [name]" and "a girl called
[name]": the rules and the reader need to know that a teacher or a child is spoken of, and nobody here needs to know
which. A name is known by what stands before it, or because it is a common given name (`GIVEN_NAMES`). Not found are
rarer names that stand alone, names in small letters after anything but Mr, Mrs, Ms, Mx and Dr, and in a text all in
capitals what comes after the first name.

A word that begins a sentence is no name ("thanks Miss That was great"), nor is what the schools and their places are
called, nor a word of the headlines: masking the "Stabbed" of "Boy Stabbed" would hide what has to be found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from monitor.given_names import GIVEN_NAMES

MASK: Final = "[name]"
STAND_IN: Final = "Taylor"
"""As long as the mask, so that offsets stay: what rules and encoder read in its place (see `monitor.jobs.collect`).

They know posts with names; the word "name" would be one that rules look for, as in "they published my name".
"""

_BEFORE: Final = re.compile(
    r"\b(?:"
    r"(?P<title>(?i:mr|mrs|ms|mx)\b\.?\s{1,5})"
    r"|(?P<doctor>(?i:dr)\b\.?\s{1,5})"
    r"|(?P<learned>(?i:prof|professor|rev|reverend)\b\.?\s{1,5})"
    r"|(?P<addressed>(?:[Mm]iss|[Ss]ir|[Mm]adam|[Hh]ead[ -]?[Tt]eacher|[Hh]eadmaster|[Hh]eadmistress|[Hh]ead"
    r"|[Tt]eacher|[Pp]rincipal|[Cc]llr|[Cc]ouncillor)[^\S\n]{1,5})"
    r"|(?P<kin>(?i:called|named|name(?:['\u2019]s|[^\S\n]is|[^\S\n]was)|(?:grand|step|god)?(?:son|daughter)|lad|lass"
    r"|boy|girl|kid|child|(?:step)?(?:brother|sister|mum|dad|mother|father)|nephew|niece|cousin|husband|wife|uncle|aunt"
    r"|auntie|nan|nana|gran|grandma|grandad|granddad|grandpa|(?:boy|girl)?friend|partner|pupil|student)"
    r"(?:[,:][^\S\n]{0,5}|[^\S\n]{1,5}))"
    r"|(?P<by>[Bb]y[^\S\n]{1,5})"
    r")"
    r"|(?<![\w@#/.'\u2019-])(?P<given>)(?=[^\W\d_a-z][^\W\d_A-Z])"
)
"""What tells that a name comes; the name of the group says what that looks like. `given`: a capitalised word."""
_NO_PERSON_BEFORE: Final = re.compile(r"\b(?:st|saint|ss|sts|king|queen|prince|princess)\b\.?\s{0,3}$", re.IGNORECASE)
"""St Mary's is a school or a church, King Charles no parent."""
_NO_PERSON_BEHIND: Final = re.compile(
    r"(?:['\u2019]s)?[^\S\n]{1,5}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Close|Drive|Court|House|Hall|School|College"
    r"|Primary|Academy|High|Hospital|Church|Park|Centre|Center|Theatre|Arms|Inn|Day)\b"
)
"""George Street, Alice Hall, St David's Day."""
_EARLIER: Final = re.compile(
    r"(?:[^\W\d_a-z]\.[^\S\n]{0,3}){0,3}(?:(?:de|la|van|von|der|den|du|al|el|bin|ap)[^\S\n]){0,3}"
)
"""What stands before a surname and belongs to it: initials, "van der"."""
_WORD: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['\u2019-]){0,30}")
_SAID: Final = re.compile(r"[\w'\u2019]+")
_GAP: Final = re.compile(r"[^\S\n]{1,5}")
_INITIAL: Final = re.compile(r"[^\W\d_a-z]")
_OWN: Final = re.compile(r"(?:['\u2019]s|['\u2019-])$")
_NOBODY: Final = frozenset({"barnardo", "martens", "pepper", "who", "seuss", "shipton"})
"""Dr Barnardo's, Dr Martens, Dr Who, Mother Shipton's Cave: no person of today."""
_MORE: Final = 2
"""Further words of one name."""
_BEFORE_A_NAME: Final = 12
"""Characters before a given name in which "St" or "King" is looked for."""
_REACH: Final = 80
"""Characters that are compared with the names of schools and places."""

_NO_NAMES: Final = frozenset(
    """
a about academy accused admits advertiser after afternoon again against aged all alone also always am among an and any
anybody anyone anything appeals appears appointment appointments are aren't arrested art as ask asked asking assaulted
assistant association at attacked august aunt auntie autumn avenue awarded away back bad banned bbc be beaten because
becomes been before begins being benefit best better biology bitten blames board both boy boyfriend boys bradford
britain british brother bullied business but by bye calls came camhs can can't cannot care carried carries central
charged cheers chemistry child childline children christ christmas church class cleared club collapses college come
committee computing convicted could couldn't council cousin cricket cries crying cut dad dads dame daughter daughters
day dead december defends denied denies department dept deputy did didn't died dies do does doesn't doing don't done
down dr drama dropped dt each east easter eastern education either else england english europe even evening ever every
everybody everyone everything excluded expelled facebook faces facing fails falls family father feared fears february
few fighting fights fine fined fired first food football for forced forgot form found free freed french fri friday
fridays friend friends from fuck fucking gave gazette geography german get gets getting girl girlfriend girls give
given giving go god goes going gone good google got governor governors grabbed grammar gran grandad grandma great
groomed guides guilty had hadn't hailed hails half happy harassed has hasn't hate have haven't having he he'd he'll
head headmaster headmistress headteacher hello help helps her here hers hey hi high him his history hit hits hockey
hope hospital hospitalised house how however hurt husband i i'd i'll i'm i've ict if in injured inspected instagram
instead into ireland is isn't isolated it it'd it'll its itv jailed january jesus joins july jumped june just keep
keeps kept kicked kicks kid kids killed know knows lad lads lady lane languages lass lasses last latin launches
learning leave leaves leeds left let lice like literally little live locked lol london look looks lord loses lost lots
love loved lower madam made make makes making man many march mathematics maths may maybe me men might mine miss
missing mom mon monday mondays month months more morning most mother mr mrs ms much mugged mum mums music must mx my
named nan nana national need needs nephew netball never new news next nice niece night no nobody none nor north
northern not nothing november now nspcc october of off office ofsted oh ok okay old omg on once one only opens or
other our ours out over own parent parents park partner pe people physics pleads please pls police poor post praised
praises press primary principal prof professor protection proud psychology punched pupil pupils pushed put quits
racially radio raped rapes re really reddit refused rescued resigns returns rev reverend right road robbed royal rs
rugby ruled rushed sacked safety said saint samaritans same santa saturday saturdays saved saw say saying says scared
school schools science scotland scouts secondary see seen self send sends sent sentenced september sexually shares she
she'd she'll shot should shouldn't since sir sister sixth sky slams snapchat so society sociology some somebody
someone something son sons soon sorry south southern spanish spared speaks sport sports spring st stabbed stabs staff
start stay still stop street struck stuck student students such summer sunday sundays support sure surgery suspected
suspended sustains tackles take taken takes targeted taught teacher teachers teaches team teams technology tell
telling tells term tested textiles than thank thanks that the their theirs them then there these they they'd they'll
they're they've think this those though threatened threatens through thrown thu thur thurs thursday thursdays tiktok
till time times to today together told tomorrow tonight too touched training trapped traumatised tributes trust try
tue tues tuesday tuesdays turns tutor tv twitter two u ucas uk uncle under union university until unveils up upper ur
us used very via victim wales want wanted wants warned warns was wasn't we we'd we'll we're we've wed wednesday
wednesdays weds week weeks welfare well went were weren't west western what whatsapp when where which while who
whoever whole whose why wife will wins winter with withdrawn without woman women won't wonderful work worker workers
world would wouldn't wow wows xx yeah year years yes yesterday yet york yorkshire you you'd you'll you're you've your
yours youtube yr zoom
""".split()  # noqa: SIM905 - as people read it
)
"""Words that are capitalised and no names: those that begin sentences, stand in headlines, belong to schools."""


def without_names(text: str, keep: frozenset[str] = frozenset()) -> str:
    """Return `text` with "[name]" for each name of a person that a word before it tells of. Linear in the text.

    Args:
        text: any text.
        keep: what is no person and stays: names of schools and places, words that a rule must see ("stab*" is every
            word that begins so).
    """
    kept = _kept(keep)
    parts: list[str] = []
    done = 0
    for found in _BEFORE.finditer(text):
        start, before = found.end(), found.lastgroup or ""
        if before == "given" and not _is_given(text, start):
            continue
        if start >= done and (end := _end(text, start, before, kept)) > start:
            parts += (text[done:start], MASK)
            done = end
    return "".join((*parts, text[done:]))


def _end(text: str, start: int, before: str, kept: _Kept) -> int:
    """Return where the name ends that begins at `start`, without its possessive; `start` where there is none."""
    word = _word(text, start)
    if word is None or not (before in {"title", "doctor"} or _written_as_a_name(word)):
        return start
    if kept.begins(text, word, surely=before == "title"):
        return start
    words = [word]
    while len(words) <= _MORE and not _own(word) and (gap := _GAP.match(text, word.end())):
        following = _word(text, gap.end())
        if following is None or not (_written_as_a_name(following) or _INITIAL.fullmatch(following.group())):
            break
        if kept.begins(text, following, surely=True):
            break
        words.append(word := following)
    if before == "by" and len(words) == 1:  # "by Tuesday"
        return start
    return word.end() - _own(word)


def _is_given(text: str, start: int) -> bool:
    """Whether a common given name begins at `start`, and no saint, king, street or school of that name."""
    word = _WORD.match(text, start)
    return (
        word is not None
        and _plain(word.group()).partition("-")[0] in GIVEN_NAMES
        and not _NO_PERSON_BEFORE.search(text, max(0, start - _BEFORE_A_NAME), start)
        and not _NO_PERSON_BEHIND.match(text, start + len(_plain(word.group())))
    )


def _word(text: str, start: int) -> re.Match[str] | None:
    """Return the word of a name that begins at `start`, past initials and "van der"; None where no letter stands."""
    return _WORD.match(text, _past_earlier(text, start)) or _WORD.match(text, start)


def _past_earlier(text: str, start: int) -> int:
    """Return where initials and "van der" end that stand at `start`."""
    earlier = _EARLIER.match(text, start)
    return earlier.end() if earlier else start


def _written_as_a_name(word: re.Match[str]) -> bool:
    """Whether a word begins with a capital and is not written in capitals alone: "the head LIED"."""
    letters = word.group()
    return len(letters) > 1 and not ("a" <= letters[0] <= "z") and not letters.isupper()


def _own(word: re.Match[str]) -> int:
    """Return how many characters of a word are its possessive, or a quotation mark behind it."""
    return len(word.group()) - len(_OWN.sub("", word.group()))


def _plain(word: str) -> str:
    """Return a word in small letters, without its possessive."""
    return word.casefold().replace("\u2019", "'").removesuffix("'s").strip("'")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What is no person, made ready to be looked up.

    Attributes:
        phrases: first word -> phrases that begin with it, each as its words.
        places: those of one word that a person may be called as well: "Ripon".
        beginnings: of words: "stab".
    """

    phrases: dict[str, tuple[tuple[str, ...], ...]]
    places: frozenset[str]
    beginnings: tuple[str, ...]

    def begins(self, text: str, word: re.Match[str], *, surely: bool) -> bool:
        """Whether no name begins with a word of `text`; where one `surely` does, a place of one word is none."""
        said = [_plain(one) for one in _SAID.findall(text[word.start() : word.start() + _REACH])]
        first = said[0] if said else ""
        if first in _NO_NAMES or first.startswith(self.beginnings):
            return True
        if not surely and (first in self.places or first in _NOBODY):
            return True
        return any(tuple(said[: len(phrase)]) == phrase for phrase in self.phrases.get(first, ()))


@lru_cache(maxsize=8)
def _kept(keep: frozenset[str]) -> _Kept:
    """Make what is to be kept ready."""
    phrases: dict[str, set[tuple[str, ...]]] = {}
    places = set()
    for one in keep:
        words = tuple(_plain(word) for word in _SAID.findall(one))
        if len(words) == 1 and one.istitle():
            places.add(words[0])
        elif words and not one.endswith("*"):
            phrases.setdefault(words[0], set()).add(words)
    return _Kept(
        phrases={first: tuple(sorted(several)) for first, several in phrases.items()},
        places=frozenset(places),
        beginnings=tuple(sorted(one[:-1].casefold() for one in keep if one.endswith("*"))),
    )
