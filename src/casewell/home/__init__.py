"""What belongs to no feature: the way in, the palette, the description of the API."""
