"""What the platform does to people: rates with intervals, burden, feedback loops, base rates."""
