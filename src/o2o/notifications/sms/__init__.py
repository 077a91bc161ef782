"""Text messages: the port, one provider, the sandbox's stand-in, and the errand that sends them."""
