"""What is done with a catalogue and a run: one verb per file, calls going one way."""
