"""What runs inside a model's interpreter: it loads the model, describes it and runs it.

Started by the server as a process of its own (``stoker_worker.bootstrap`` makes the command line). Runs on
Python 3.10 and later, needs ``cog`` and the standard library, and never imports ``stoker``.
"""
