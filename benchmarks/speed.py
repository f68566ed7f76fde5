"""How fast a judgement is, beside the peers, in one run: `python -m benchmarks.speed`.

The peers give a tone alone; ours gives relevance, tone, category, severity, owner, clauses and reasons.
Figures are posts a second and, as machines differ, the ratio to VADER in the same run. Memory is the peak of
the process.
"""

from __future__ import annotations

import resource
import sys
import time
from typing import TYPE_CHECKING

from analysis import pipeline
from analysis.encoder import Encoder
from analysis.matching import Post
from benchmarks.labelled import Labelled, held_out, seen
from monitor.policy import folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BATCH = 256
ROUNDS = 3
EVERY = 5
"""One seen post in five: enough to measure, and of every kind."""
FLOOR = 300
"""Posts a second on two cores that a full judgement must reach."""


def rate(work: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Return texts a second: the best of three rounds, the first reading not counted."""
    work(texts[:BATCH])
    best = 0.0
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work(texts)
        best = max(best, len(texts) / (time.perf_counter() - started))
    return best


def ours(posts: Sequence[Labelled]) -> Callable[[Sequence[str]], object]:
    """Return the full judgement of relevant posts, in batches."""
    judges = pipeline.judges_of(folder.load(), Encoder.load())
    by_text = {post.text: post for post in posts}

    def judge(texts: Sequence[str]) -> None:
        for start in range(0, len(texts), BATCH):
            batch = [by_text[text] for text in texts[start : start + BATCH]]
            frame = pipeline.frame_of(
                [Post(text=p.text, source=p.source, community=p.community) for p in batch],
                [True] * len(batch),
            )
            pipeline.judge(frame, judges)

    return judge


def peers(posts: Sequence[Labelled]) -> dict[str, Callable[[Sequence[str]], object]]:
    """Return the peers, each a reading of texts; imported only now, so that the memory measured before is ours."""
    from afinn import Afinn  # noqa: PLC0415
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from textblob import TextBlob  # noqa: PLC0415
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415

    vader, afinn = SentimentIntensityAnalyzer(), Afinn(emoticons=True)
    learned = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=200))
    learned.fit([post.text for post in posts], [post.sentiment for post in posts])
    return {
        "VADER (tone)": lambda texts: [vader.polarity_scores(text) for text in texts],
        "TextBlob (tone)": lambda texts: [TextBlob(text).sentiment for text in texts],
        "AFINN (tone)": lambda texts: [afinn.score(text) for text in texts],
        "TF-IDF and logistic regression (tone)": learned.predict,
    }


def main() -> int:
    """Print the table; return 1 below the floor."""
    posts = [post for post in (*seen()[::EVERY], *held_out()) if post.relevant == "yes"]
    texts = [post.text for post in posts]
    judge = ours(posts)
    figures = {"full judgement (ours)": rate(judge, texts)}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures |= {name: rate(work, texts) for name, work in peers(posts).items()}
    base = figures["VADER (tone)"]
    print(f"{len(texts)} relevant posts, two threads\n")
    print("| what | posts a second | ratio to VADER |\n|---|---:|---:|")
    for name, figure in figures.items():
        print(f"| {name} | {figure:,.0f} | {figure / base:.2f} |")
    print(f"\npeak memory of the process after our own judgement: {memory:.0f} MB")
    return 0 if figures["full judgement (ours)"] >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
