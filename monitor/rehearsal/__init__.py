"""Local servers that speak the sources' own wire formats with invented content.

The `demo` command and the tests read them instead of the internet: same collectors, same client, real HTTP.
Nothing here is anybody's post.
"""
