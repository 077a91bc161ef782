"""What WeChat domain code does, one use case per file."""
