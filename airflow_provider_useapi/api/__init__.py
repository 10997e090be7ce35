"""What useapi.net says: its services, its answers, and what they mean. Pure."""
