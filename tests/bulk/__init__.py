"""Tests of the Bulk Data Service."""
