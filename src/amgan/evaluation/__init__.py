"""Evaluation: ranking metrics, reports, significance tests, prototype quality."""
