"""Reports: `build(material)` gives a frozen view, `render(view)` a `Rendered`; the same data, the same bytes.

A report is handed all it says. It reads no store, no clock and no settings, so that yesterday's can be made
again. What every report shares:

- `reports.wording`: times, numbers and lists in plain English.
- `reports.quoting`: what of a post may stand in an e-mail, and links that are safe to follow.
- `reports.looking`: where we looked, and what was not seen.
- `reports.items`: one case in words, under the rules of who may read what.
- `reports.wordbook`: the names and times that an item is said with.
- `reports.rendering`: templates to HTML and text, and the manifest that proves which records were counted.
"""
