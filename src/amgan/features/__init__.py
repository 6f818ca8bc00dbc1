"""What a trunk makes of pictures, computed once for each picture."""
