"""Encoded catalogues: vectors on disk, and engines that search them."""
