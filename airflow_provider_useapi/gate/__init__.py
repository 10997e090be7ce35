"""When a pipeline may go on: what a gate asks, decides, remembers and says. Pure."""
