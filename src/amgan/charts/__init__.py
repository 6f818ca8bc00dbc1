"""Charts of measured figures, all in one style."""
