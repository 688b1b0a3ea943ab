"""Ways out of this process: HTTP, a cloud's SDK, an operator's program; only what is named."""
