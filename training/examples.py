"""`python -m training.examples`: the vectors by which a tag names its nearest labelled example.

In: the posts of benchmarks/posts/seen and the shipped encoder. Out: analysis/model/examples.npz with ids,
categories and unit vectors (float16); no words. Needs no torch; run it after every change of the model or posts.
"""

from __future__ import annotations

import numpy as np

from analysis.encoder import Encoder
from analysis.examples import FILE
from benchmarks.labelled import seen


def main() -> None:
    """Write the file and say how many examples it holds."""
    posts = seen()
    vectors = Encoder.load().encode([post.text for post in posts]).embedding.astype(np.float16)
    np.savez_compressed(
        FILE,
        ids=np.array([post.id for post in posts]),
        categories=np.array([post.category for post in posts]),
        vectors=vectors,
    )
    print(f"{len(posts)} examples, {FILE.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
