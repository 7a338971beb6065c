"""Finding services: by words, by what they do and cost, and by what was measured of them."""
