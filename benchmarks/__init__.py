"""Measurements behind the platform's claims of speed and memory; see README.md in this folder."""
