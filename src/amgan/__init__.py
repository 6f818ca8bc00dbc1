"""Flexible fashion search with attribute manipulation (AMGAN, SIGIR 2020)."""
