"""What the article's reader does; run by ``test_snippets``.

Usage: python snippets_story.py SNIPPETS SPEECH PICTURE WEBHOOK-URL. Runs the file as it is and prints one
JSON object: what each of its functions gave.
"""

import contextlib
import io
import json
import runpy
import sys


def main():
    file, speech, picture, webhook_url = sys.argv[1:]
    snippets = runpy.run_path(file)
    streamed = io.StringIO()
    with contextlib.redirect_stdout(streamed):
        snippets["stream"]()
    told = {
        "text": snippets["text"](),
        "picture": str(snippets["picture"]()),
        "speech": snippets["speech"](speech),
        "vision": snippets["vision"](picture),
        "background": snippets["background"](),
        "with_webhook": snippets["with_webhook"](webhook_url).id,
        "stream": streamed.getvalue(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
