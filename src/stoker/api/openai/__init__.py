"""OpenAI's API over the same models: ``/openai/v1``, for programs that are written for the ``openai`` client.

``routes`` has the paths; each endpoint is a module of its name. A request becomes the input of predictions
(``surface``, ``drafts``, ``sampling``, ``conversation``), these run like all others (``targets``, ``runs``),
and what they give becomes OpenAI's answer (``answers``, ``chunks``, ``transcripts``, ``problems``).
What is answered and what is not: docs/openai.md.
"""
