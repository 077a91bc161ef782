"""Text messages: the port, one provider, and the sandbox's stand-in."""
