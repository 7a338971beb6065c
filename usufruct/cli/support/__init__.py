"""What commands share, a topic in each file."""
