"""What labctl is compared with: the same work as a good engineer's bare script would do it."""
