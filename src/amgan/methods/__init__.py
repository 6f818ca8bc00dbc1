"""Search methods: one file each, trained by the one loop."""
