"""The composition root: the web app, the worker, the command line, wiring and the demo."""
